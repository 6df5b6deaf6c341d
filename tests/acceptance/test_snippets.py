"""What the client package's README shows fits its types."""

import re
import subprocess
from pathlib import Path

README = Path(__file__).parents[2] / "frontend" / "client" / "README.md"


def test_the_code_in_the_readme_of_the_client_fits_its_types(node: str, frontend_folder: Path) -> None:
    client = frontend_folder / "client"
    shown = re.findall(r"^```(tsx?)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(shown) > 1
    files = [client / "shown" / f"block{number}.{kind}" for number, (kind, _) in enumerate(shown)]
    (client / "shown").mkdir()
    for file, (_, text) in zip(files, shown, strict=True):
        file.write_text(text)
    compiler = next(
        folder / "node_modules/typescript/bin/tsc"
        for folder in (client, frontend_folder)
        if (folder / "node_modules/typescript").exists()
    )
    options = (
        "--noEmit --strict --target ES2022 --module ESNext --moduleResolution bundler --lib ES2022,DOM --jsx react-jsx"
    )
    ran = subprocess.run(
        [node, compiler, *options.split(), "--customConditions", "@pairquiz/source", "--skipLibCheck", *files],
        cwd=client,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
