// The load generator's process: autocannon with workers. Plain JavaScript, since autocannon is no dependency of the checkout.
import autocannon from 'autocannon';

process.once('message', async (options) => {
  let cpu = process.cpuUsage();
  let startedMs = performance.now();
  const running = autocannon(options);
  // Loading the program is no part of the load.
  running.once('start', () => {
    cpu = process.cpuUsage();
    startedMs = performance.now();
  });
  const result = await running;
  const { user, system } = process.cpuUsage(cpu);
  process.send(
    {
      requestsPerSec: result.requests.total / result.duration,
      bytesPerSec: result.throughput.total / result.duration,
      answers: result.requests.total,
      durationMs: result.duration * 1_000,
      non2xx: result.non2xx,
      mismatches: result.mismatches,
      errors: result.errors,
      timeouts: result.timeouts,
      latencyP50Ms: result.latency.p50,
      latencyP99Ms: result.latency.p99,
      // Of this process with all its worker threads, in cores.
      generatorCores: (user + system) / 1_000 / (performance.now() - startedMs),
    },
    () => process.exit(0),
  );
});
