/* Opened from a folder, a page may start no worker, and the search is one: it runs in an empty frame instead. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inner = this.frame.contentWindow;
      inner.postMessage = (data) => this.tell(this, data);
      inner.importScripts = (...urls) => Promise.all(urls.map((one) => this.load(one)));
      this.ready = this.load(url);
    }

    load(url) {
      return new Promise((loaded, failed) => {
        const script = this.frame.contentDocument.createElement("script");
        Object.assign(script, { src: new URL(url, location.href).href, onload: loaded, onerror: failed });
        this.frame.contentDocument.body.append(script);
      });
    }

    tell(whom, data) {
      const message = new MessageEvent("message", { data });
      whom.dispatchEvent(message);
      if (whom === this && this.onmessage) this.onmessage(message);
    }

    postMessage(data) {
      this.ready.then(() => this.tell(this.frame.contentWindow, data));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
