/** Timers for pages without the browser's minimum delay. */

let channel: MessageChannel | null = null;
const calls: (() => void)[] = [];
const times: number[] = [];

/**
 * Browsers delay a timer that was set by a timer to at least 4 ms, so shorter ones use a message.
 */
export function soon(call: () => void, milliseconds: number): void {
  if (channel === null) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => setTimeout(calls.shift()!, times.shift());
  }
  // No closure over both arguments, which would be garbage of each poll.
  calls.push(call);
  times.push(milliseconds);
  channel.port2.postMessage(null);
}
