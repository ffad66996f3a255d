// The annotated stream: by WebRTC, or as MJPEG where that doesn't connect.

const GATHER_MS = 1000;
const CONNECT_MS = 6000;
const RETRY_MS = 2000;

export class LiveVideo {
  #video;
  #image;
  #options;
  #peer = null;
  #camera = null;
  #attempt = 0;
  #viewer = "";

  /** Options: address (of a path), prefersMjpeg, onTransport (name of the one in use). */
  constructor(video, image, options) {
    this.#video = video;
    this.#image = image;
    this.#options = options;
  }

  /** Connect anew; with a new name of this page if the state channel was opened again. */
  async restart(viewer = this.#viewer) {
    this.#endCamera();
    this.#viewer = viewer;
    const attempt = ++this.#attempt;
    this.#close();
    if (this.#options.prefersMjpeg || !window.RTCPeerConnection) {
      this.#showImage();
      return;
    }
    try {
      await this.#connect(null, attempt);
    } catch (error) {
      if (attempt !== this.#attempt) return;
      console.info(`No WebRTC: ${error.message}`);
      this.#showImage();
    }
  }

  /** Send a camera's stream as the source, and show it annotated. Throws why it isn't taken. */
  async useCamera(stream, onEnd) {
    const attempt = ++this.#attempt;
    this.#close();
    this.#camera = { stream, onEnd };
    try {
      await this.#connect(stream, attempt);
    } catch (error) {
      this.#camera = null;
      this.restart();
      throw error;
    }
  }

  /** Send the camera no longer. */
  dropCamera() {
    this.#camera = null;
    this.restart();
  }

  #endCamera() {
    const camera = this.#camera;
    this.#camera = null;
    camera?.onEnd();
  }

  async #connect(stream, attempt) {
    const peer = new RTCPeerConnection({ iceServers: [] });
    this.#peer = peer;
    peer.ontrack = (event) => this.#showVideo(event);
    const [track] = stream ? stream.getVideoTracks() : ["video"];
    const direction = stream ? "sendrecv" : "recvonly";
    peer.addTransceiver(track, { direction, streams: stream ? [stream] : [] });
    await peer.setLocalDescription();
    await until(peer, "icegatheringstatechange", () => peer.iceGatheringState === "complete", GATHER_MS);
    const response = await fetch(this.#options.address("live/offer"), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        viewer: this.#viewer,
        sdp: peer.localDescription.sdp,
        camera: Boolean(stream),
      }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    await peer.setRemoteDescription(answer);
    const isConnected = () => peer.connectionState === "connected";
    if (!(await until(peer, "connectionstatechange", isConnected, CONNECT_MS))) {
      throw new Error("No WebRTC connection could be made.");
    }
    peer.onconnectionstatechange = () => {
      if (attempt !== this.#attempt || isConnected()) return;
      setTimeout(() => attempt === this.#attempt && !isConnected() && this.restart(), RETRY_MS);
    };
  }

  #close() {
    this.#peer?.close();
    this.#peer = null;
  }

  #showVideo(event) {
    if ("jitterBufferTarget" in event.receiver) event.receiver.jitterBufferTarget = 0;
    this.#video.hidden = false; // some browsers play nothing that isn't shown
    this.#video.srcObject = event.streams[0] ?? new MediaStream([event.track]);
    this.#video.onloadeddata = () => {
      this.#image.hidden = true;
      this.#image.removeAttribute("src");
      this.#options.onTransport("WebRTC");
    };
  }

  #showImage() {
    this.#close();
    this.#video.srcObject = null;
    this.#video.hidden = true;
    this.#image.hidden = false;
    this.#options.onTransport("MJPEG");
    const attempt = this.#attempt;
    this.#image.onerror = () => {
      setTimeout(() => attempt === this.#attempt && this.#showImage(), RETRY_MS);
    };
    this.#image.src = this.#options.address("live.mjpg");
  }
}

/** Wait until a condition is true, checked at each event; return whether it is, in time. */
function until(target, event, isTrue, limitMs) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      target.removeEventListener(event, check);
      resolve(isTrue());
    };
    const check = () => isTrue() && done();
    const timer = setTimeout(done, limitMs);
    target.addEventListener(event, check);
    check();
  });
}
