// The camera of this device, such as a phone's, as the source for all viewers.

const SIZE = { width: { ideal: 960 }, height: { ideal: 540 }, frameRate: { ideal: 30, max: 30 } };

export class Camera {
  #video;
  #button;
  #flip;
  #text;
  #usualText;
  #stream = null;
  #isStarting = false;
  #facing = "environment";
  #lock = null;

  constructor(video, button, flip, text) {
    this.#video = video;
    this.#button = button;
    this.#flip = flip;
    this.#text = text;
    this.#usualText = text.textContent;
    const obstacle = this.#obstacle();
    if (obstacle) {
      text.textContent = obstacle;
      button.disabled = true;
    }
    button.onclick = () => (this.#stream ? this.#stop() : this.#start());
    flip.onclick = () => {
      this.#facing = this.#facing === "environment" ? "user" : "environment";
      this.#start();
    };
  }

  /** Show whether another viewer's camera is the source. */
  show(state) {
    if (this.#stream || this.#isStarting || this.#obstacle()) return;
    this.#button.disabled = state.is_camera;
    if (state.is_camera) this.#text.textContent = "The camera of another viewer is the source.";
    else if (this.#text.textContent.startsWith("The camera of another")) {
      this.#text.textContent = this.#usualText;
    }
  }

  #obstacle() {
    if (!window.isSecureContext) {
      return "Browsers give a camera to HTTPS pages only. Start kpviewer serve with --tls.";
    }
    if (!navigator.mediaDevices?.getUserMedia || !window.RTCPeerConnection) {
      return "This browser doesn't let pages use the camera.";
    }
    return null;
  }

  async #start() {
    const wasOn = Boolean(this.#stream);
    this.#isStarting = this.#button.disabled = true;
    this.#release();
    try {
      const wanted = { audio: false, video: { ...SIZE, facingMode: this.#facing } };
      const stream = await navigator.mediaDevices.getUserMedia(wanted);
      this.#stream = stream;
      stream.getVideoTracks()[0].onended = () => this.#stop();
      await this.#video.useCamera(stream, () => this.#ended("The connection to the camera was lost."));
      this.#showUse(true);
      await this.#keepAwake();
    } catch (error) {
      this.#ended(reason(error));
      if (wasOn) this.#video.dropCamera();
    }
    this.#isStarting = this.#button.disabled = false;
  }

  #stop() {
    this.#ended(this.#usualText);
    this.#video.dropCamera();
  }

  #ended(text) {
    this.#release();
    this.#showUse(false);
    this.#text.textContent = text;
  }

  #release() {
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#stream = null;
    this.#lock?.release();
    this.#lock = null;
  }

  async #showUse(isOn) {
    this.#button.textContent = isOn ? "Stop this camera" : "Use this camera";
    this.#button.classList.toggle("primary", !isOn);
    if (isOn) this.#text.textContent = "This camera is the source for everyone who watches.";
    const devices = isOn ? await navigator.mediaDevices.enumerateDevices() : [];
    this.#flip.hidden = devices.filter((each) => each.kind === "videoinput").length < 2;
  }

  async #keepAwake() {
    try {
      this.#lock = (await navigator.wakeLock?.request("screen")) ?? null;
    } catch {
      this.#lock = null; // the battery is low: the screen may turn off
    }
  }
}

function reason(error) {
  if (error.name === "NotAllowedError") return "The camera isn't allowed. Allow it for this page.";
  if (error.name === "NotFoundError") return "This device has no camera.";
  if (error.name === "NotReadableError") return "The camera is in use by another program.";
  return error.message;
}
