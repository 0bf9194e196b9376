/** @throws RangeError in PyTorch's words. */
export const refuse = (message: string): never => {
  throw new RangeError(message);
};

export const ensure = (holds: boolean, message: string): void => {
  if (!holds) refuse(message);
};
