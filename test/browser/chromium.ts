/**
 * A real browser: Debian's chromium, installed by these tests where it is missing and may be.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'] as const;
const INSTALL_LIMIT_MS = 240_000;

const found = (): string | undefined =>
  [process.env.TANIST_CHROMIUM ?? '', ...PATHS].find((path) => path !== '' && existsSync(path));

const install = (): string => {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    return 'no chromium found: install it, or name one with TANIST_CHROMIUM';
  const apt = (...words: readonly string[]) =>
    execFileSync('apt-get', [...words], {
      stdio: 'ignore',
      timeout: INSTALL_LIMIT_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  try {
    apt('update');
    apt('install', '-y', '--no-install-recommends', 'chromium', 'fonts-dejavu-core');
    return '';
  } catch (error) {
    return `chromium could not be installed: ${error instanceof Error ? error.message : String(error)}`;
  }
};

/** The path of a browser, or why there is none. */
export const findChromium = (): { readonly path: string } | { readonly missing: string } => {
  const before = found();
  if (before !== undefined) return { path: before };
  const problem = install();
  const path = found();
  return path === undefined ? { missing: problem } : { path };
};

export const launch = (path: string): Promise<Browser> =>
  chromium.launch({
    executablePath: path,
    // A sandbox of its own cannot be made by root, nor in most containers; it shows one page, and that is ours.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
    timeout: 60_000,
  });
