/** How the page is built, and served while it is worked on. */

import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defaultClientConditions, defaultServerConditions, defineConfig, type Plugin } from "vite";
import { precompressed } from "./precompressed.ts";

/** Of all that a visitor fetches before the first question. */
const BUDGET_BYTES = 120_000;

/** Where the server is while the page is worked on. */
const SERVER = process.env["PAIRQUIZ_URL"] ?? "http://127.0.0.1:8000";

const SOURCE = "@pairquiz/source";

const proxy = {
  "/socket.io": { target: SERVER, ws: true },
  "/api": { target: SERVER },
};

export default defineConfig({
  plugins: [react(), budget(), precompressed()],
  // The client package as it is written, not as it was built last: in the browser, and in tests.
  resolve: { conditions: [SOURCE, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [SOURCE, ...defaultServerConditions] } },
  build: {
    // Everything a file of its own, under a name that changes with it: nothing inline, so that `script-src 'self'` holds.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
  },
  server: { proxy },
  preview: { proxy },
});

/** Fails a build whose page has grown over its budget, before any of it is written. */
function budget(): Plugin {
  return {
    name: "budget",
    apply: "build",
    enforce: "post",
    generateBundle(_options, bundle) {
      const bytes = Object.values(bundle).reduce((sum, file) => {
        const content = file.type === "chunk" ? file.code : file.source;
        return file.fileName.endsWith(".map") ? sum : sum + gzipSync(content, { level: 9 }).length;
      }, 0);
      const line = `${(bytes / 1000).toFixed(1)} kB gzipped, of at most ${BUDGET_BYTES / 1000} kB`;
      if (bytes > BUDGET_BYTES) this.error(`The page has ${line}`);
      this.info(line);
    },
  };
}
