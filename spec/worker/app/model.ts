/** A worker as apps write them: all that it does is in what it imports. */
import "@tensorflow/tfjs-backend-webgl";
import "../model.worker.js";
