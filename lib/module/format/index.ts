export { formatNumpy } from "./numpy.js";
export { formatFloat, formatPython, formatSize, formatTuple } from "./python.js";
export { formatTorch, type TorchDtype } from "./torch.js";
