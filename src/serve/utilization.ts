/** A shorter time says nothing, in ms: within one turn of the loop all is work. */
const LEAST = 20;

/**
 * Answers with the share of the time since its last new answer in which this thread's event loop was at work, 0 to 1; with
 * the same answer again where that was a moment ago.
 */
export function createUtilization(): () => number {
  let before = performance.eventLoopUtilization();
  let share = 0;
  return () => {
    const { utilization, active, idle } = performance.eventLoopUtilization(before);
    if (active + idle < LEAST) return share;
    before = performance.eventLoopUtilization();
    share = utilization;
    return share;
  };
}
