// The search runs in a worker, which no browser allows to a page that is opened from a folder. There it runs in a frame.
// (This file has the name by which Material knows that it need not fetch another one.)
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.inside = frame.contentWindow;
      const load = (url) =>
        new Promise((loaded) => {
          const script = this.inside.document.createElement("script");
          script.src = url;
          script.onload = loaded;
          this.inside.document.body.append(script);
        });
      this.inside.importScripts = (...urls) => urls.reduce((before, url) => before.then(() => load(url)), Promise.resolve());
      this.inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.ready = load(address);
    }

    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
}
