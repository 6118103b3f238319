import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../servers/root.ts';

/** SendMessage's parameters, as docs/pull-only.md gives them to EventBridge Scheduler. */
export interface DocumentedRequest {
  readonly QueueUrl: string;
  readonly MessageGroupId: string;
  readonly MessageDeduplicationId: string;
  readonly MessageBody: string;
}

export async function documentedRequest() {
  const text = await readFile(join(projectRoot(), 'docs/pull-only.md'), 'utf8');
  const [, target = ''] = /```json\n([\s\S]*?)```/.exec(text) ?? [];
  const { Arn, Input } = JSON.parse(target) as { Arn: string; Input: string };
  return { text, Arn, request: JSON.parse(Input) as DocumentedRequest };
}
