/** What a network can be shown: a drawing, a photo, or the camera's picture. */
const element = <T extends Element>(selector: string): T => document.querySelector<T>(selector)!;

export type Shown = HTMLCanvasElement | HTMLVideoElement | ImageBitmap;

/**
 * Sets up the canvas for drawing and the choice of a photo or the camera.
 *
 * @param onChange called after every stroke, photo and camera frame. `isLight`: whether the
 *   background is light, as on most photos.
 * @param onTrouble called with a message for the user when something fails.
 * @returns a function that gives what is shown now.
 */
export function startSources(
  onChange: (isLight?: boolean) => void,
  onTrouble: (text: string) => void,
): () => Shown {
  const canvas = element<HTMLCanvasElement>("#drawing canvas");
  const video = element<HTMLVideoElement>("#drawing video");
  const camera = element<HTMLButtonElement>("#camera");
  const context = canvas.getContext("2d")!;
  let shown: Shown = canvas;

  const clear = (): void => {
    context.fillStyle = "black";
    context.fillRect(0, 0, canvas.width, canvas.height);
  };
  const stopCamera = (): void => {
    for (const track of (video.srcObject as MediaStream | null)?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    camera.ariaPressed = "false";
  };
  const show = (next: Shown): void => {
    if (next !== video) stopCamera();
    shown = next;
    video.hidden = next !== video;
    canvas.hidden = next === video;
  };
  const startOver = (): void => {
    show(canvas);
    clear();
    onChange(false);
  };

  clear();
  Object.assign(context, { strokeStyle: "white", lineWidth: 34, lineCap: "round", lineJoin: "round" }); // prettier-ignore
  // Starts with a drawing of trousers.
  context.stroke(new Path2D("M 100 50 L 180 50 M 105 60 L 95 240 M 175 60 L 185 240 M 140 60 L 140 110")); // prettier-ignore
  element("#clear").addEventListener("click", startOver);

  let last: readonly [number, number] | null = null;
  const place = ({ clientX, clientY }: PointerEvent): readonly [number, number] => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [((clientX - left) / width) * canvas.width, ((clientY - top) / height) * canvas.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (shown !== canvas) startOver(); // drawing starts anew, not on top of a photo
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (last === null) return;
    context.beginPath();
    context.moveTo(...last);
    last = place(event);
    context.lineTo(...last);
    context.stroke();
    onChange();
  });
  for (const type of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(type, () => (last = null));
  }

  const photos = element<HTMLInputElement>("#photo");
  photos.addEventListener("change", () => {
    const [file] = photos.files ?? [];
    photos.value = ""; // so that the same may be chosen again
    if (file === undefined) return;
    createImageBitmap(file).then(
      (photo) => {
        show(photo);
        clear();
        const scale = Math.max(canvas.width / photo.width, canvas.height / photo.height);
        const [width, height] = [photo.width * scale, photo.height * scale];
        const [left, top] = [(canvas.width - width) / 2, (canvas.height - height) / 2];
        context.drawImage(photo, left, top, width, height);
        onChange(true);
      },
      () => onTrouble(`${file.name} is no picture that this browser reads.`),
    );
  });

  const onFrame = (): void => {
    if (video.srcObject === null) return;
    onChange();
    video.requestVideoFrameCallback(onFrame);
  };
  const startCamera = async (): Promise<void> => {
    const wanted = { video: { facingMode: "environment" } };
    video.srcObject = await navigator.mediaDevices.getUserMedia(wanted);
    await video.play();
    camera.ariaPressed = "true";
    show(video);
    onChange(true);
    video.requestVideoFrameCallback(onFrame);
  };
  camera.addEventListener("click", () => {
    if (camera.ariaPressed === "true") startOver();
    else startCamera().catch((error: unknown) => onTrouble(`There is no camera: ${String(error)}`));
  });
  return () => shown;
}
