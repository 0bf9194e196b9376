import * as nn from "sconce";

/** The names of Fashion-MNIST's ten classes. */
export const CLASSES = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
] as const;

/** `(N, 1, 28, 28)` pictures with values 0 to 1 → `(N, 10)` logits. */
export function makeMlp(): nn.Sequential {
  return new nn.Sequential({
    flatten: new nn.Flatten(),
    fc1: new nn.Linear(784, 128),
    relu: new nn.ReLU(),
    fc2: new nn.Linear(128, 10),
  });
}

/** `(N, 1, 28, 28)` pictures with values 0 to 1 → `(N, 10)` logits. */
export function makeCnn(): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(1, 16, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(16),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(32),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(32, 64, 3, { padding: 1, stride: 2, bias: false }),
    new nn.BatchNorm2d(64),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool2d([2, 2]),
    new nn.Flatten(),
    new nn.Dropout({ p: 0.2 }),
    new nn.Linear(256, 64),
    new nn.ReLU(),
    new nn.Linear(64, 10),
  );
}
