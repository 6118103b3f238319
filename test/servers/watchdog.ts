import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * The kernel closes the pipe however this program ends (exit, Ctrl-C, uncaught exception, SIGKILL). A line in it says
 * that the child has ended by itself; the end of it, that nobody is left to stop the child. A moment later nothing
 * writes to the child's folder any more, so it can go.
 */
const SCRIPT = `
read -r _ || { kill -9 "$1"; sleep 0.2; }
[ -z "$2" ] || { cat >/dev/null; rm -rf "$2"; }`;

export interface Watchdog {
  /** The child has ended: its pid may soon be another program's. */
  dismiss(): void;
}

/**
 * Kills the process `pid` once this program is gone, and then removes `folder`, where one is named.
 * It has a session of its own, so that a terminal's Ctrl-C does not reach it.
 */
export function watchOver(pid: number, folder = ''): Watchdog {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'watchdog', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: '/usr/bin:/bin' },
    detached: true,
  });
  shell.unref();
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  // The shell may be gone already when the last line is written; then there is nothing left to tell it.
  shell.stdin.on('error', () => {});
  return { dismiss: () => shell.stdin.write('\n') };
}
