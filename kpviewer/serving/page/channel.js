// The state channel: a WebSocket that is opened again whenever it is lost.

const RETRY_MS = 1500;

export class StateChannel {
  #url;
  #handlers;
  #socket = null;

  /** Handlers: onHello (connected, the first time or again), onState, onLost. */
  constructor(url, handlers) {
    this.#url = new URL(url);
    this.#url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.#handlers = handlers;
  }

  connect() {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.kind === "hello") this.#handlers.onHello(message);
      else this.#handlers.onState(message);
    };
    socket.onclose = () => {
      this.#handlers.onLost();
      setTimeout(() => this.connect(), RETRY_MS);
    };
  }

  /** Send a change of the settings that all viewers share. */
  send(change) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(change));
  }
}
