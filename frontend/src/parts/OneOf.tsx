/** One of a few choices: native radios, that look like keys of one row. */

interface Props<T extends string | number> {
  name: string;
  legend: string;
  choices: readonly T[];
  chosen: T;
  label?: (choice: T) => string;
  hint?: string;
  isPossible?: (choice: T) => boolean;
  onChoose: (choice: T) => void;
}

export function OneOf<T extends string | number>(props: Props<T>) {
  const { name, legend, choices, chosen, label = String, hint, isPossible = () => true, onChoose } = props;
  return (
    <fieldset className="field">
      <legend>{legend}</legend>
      <div className="choices">
        {choices.map((choice) => (
          <label key={choice} className="choice">
            <input
              type="radio"
              name={name}
              checked={choice === chosen}
              disabled={!isPossible(choice)}
              onChange={() => onChoose(choice)}
            />
            <span>{label(choice)}</span>
          </label>
        ))}
      </div>
      {hint !== undefined && <p className="small quiet hint">{hint}</p>}
    </fieldset>
  );
}
