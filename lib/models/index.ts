/**
 * Ready models with torchvision's and Hugging Face's keys: `import { resnet50 } from "sconce/models"`.
 *
 * They have no weights of their own: load a checkpoint into `nn.meta(() => resnet50())`.
 *
 * @packageDocumentation
 */
export { type BertConfig, BertModel, type BertModelOptions, type BertModelOutput } from "./bert.js";
export * from "./efficientnet.js";
export {
  type GPT2Config,
  GPT2LMHeadModel,
  type GPT2LMHeadModelOutput,
  GPT2Model,
  type GPT2ModelOptions,
  type GPT2ModelOutput,
} from "./gpt2.js";
export * from "./mobilenet.js";
export * from "./resnet.js";
export * from "./vgg.js";
export * from "./vision-transformer.js";
