import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { startDrawing } from "./drawing.js";
import { startFashion } from "./fashion.js";
import { startLesson } from "./lesson.js";

function byId<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const status = byId<HTMLOutputElement>("status");
const radios = [...document.querySelectorAll<HTMLInputElement>("input[name=backend]")];

const lesson = startLesson();
const fashion = await startFashion();
const drawing = startDrawing(fashion.model);

/** Recomputes everything on the page that comes from a model. */
function update(): void {
  lesson.update();
  fashion.update();
  drawing.update();
  status.value = `running on ${tf.getBackend()}`;
}

for (const radio of radios) {
  radio.checked = radio.value === tf.getBackend();
  radio.addEventListener("change", () => {
    status.value = `starting ${radio.value}…`;
    void nn.setBackend(radio.value as nn.BackendName).then((name) => {
      for (const other of radios) other.checked = other.value === name;
      update();
    });
  });
}
update();
