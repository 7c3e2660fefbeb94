// A code read by the camera, for the box of the inspector's page, where the browser
// reads codes by itself (Shape Detection API, BarcodeDetector); elsewhere there is
// no button, and the box is typed into.

const WORDS = {
  en: { scan: "Scan with the camera", stop: "Stop", none: "The camera cannot be used" },
  zh: { scan: "用摄像头扫码", stop: "停止", none: "无法使用摄像头" },
};

const form = document.querySelector("form.ask");
const words = document.documentElement.lang === "en" ? WORDS.en : WORDS.zh;

/** Looks until a code is seen or `video` is taken away. */
const seen = async (video) => {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  while (video.isConnected) {
    const [found] = await detector.detect(video);
    if (found) return found.rawValue;
    await new Promise(requestAnimationFrame);
  }
  return null;
};

const scan = async (button) => {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  let stream = null;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    form.append(video);
    button.textContent = words.stop;
    await video.play();
    const text = await seen(video);
    if (text !== null) {
      form.elements.ask.value = text;
      form.requestSubmit();
    }
  } catch {
    button.textContent = words.none;
  } finally {
    for (const track of stream?.getTracks() ?? []) track.stop();
    video.remove();
  }
};

if (form && "BarcodeDetector" in globalThis && navigator.mediaDevices) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words.scan;
  button.addEventListener("click", () => {
    const running = form.querySelector("video");
    if (running) {
      running.remove();
      button.textContent = words.scan;
    } else {
      scan(button);
    }
  });
  form.append(button);
}
