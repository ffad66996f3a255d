// The live page: connects the parts, and keeps them connected.
//
// Parts are imported with the page's token, which every file of the service needs.

const parameters = new URLSearchParams(location.search);
const token = parameters.get("token");

/** Return the address of the service for a path, with the token. */
function address(path) {
  const url = new URL(path, document.baseURI);
  url.search = "";
  if (token) url.searchParams.set("token", token);
  return url;
}

const part = (name) => import(address(`page/${name}`).href);
const [{ Controls }, { StateChannel }, { LiveVideo }, { Camera }] = await Promise.all(
  ["controls.js", "channel.js", "video.js", "camera.js"].map(part),
);

const byId = (id) => document.getElementById(id);

const channel = new StateChannel(address("live/state"), {
  onHello: (hello) => {
    controls.greet(hello);
    video.restart(hello.viewer);
  },
  onState: (state) => {
    controls.show(state);
    camera.show(state);
  },
  onLost: () => controls.showLost(),
});
const controls = new Controls((change) => channel.send(change));
const video = new LiveVideo(byId("video"), byId("image"), {
  address,
  prefersMjpeg: parameters.get("video") === "mjpeg",
  onTransport: (name) => controls.showTransport(name),
});
const camera = new Camera(video, byId("camera"), byId("flip"), byId("camera-text"));

channel.connect();
