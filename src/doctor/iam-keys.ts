import type { DestinationConfig } from '../config/config.ts';
import { partitionOf, serviceHost } from './arns.ts';
import type { IamStatement } from './iam-policy.ts';

/**
 * What Secrets Manager does with the destinations' own keys on our behalf, and through it alone. The key of
 * `aws/secretsmanager` needs no word.
 */
export const keyStatements = (
  destinations: Readonly<Record<string, DestinationConfig>>,
  partition: string,
): IamStatement[] =>
  Object.values(destinations).flatMap(({ kmsKeyId, region }, index) =>
    kmsKeyId === undefined ? [] : [keyStatement(`UseKey${index + 1}`, kmsKeyId, region, partition)],
  );

function keyStatement(Sid: string, id: string, region: string | undefined, partition: string): IamStatement {
  const [, arn = '', alias] = /^(arn:.*:)?(alias\/.*)$/.exec(id) ?? [];
  const place = arn === '' ? `arn:${partitionOf(region) ?? partition}:kms:${region ?? '*'}:*:` : arn;
  const via = { 'kms:ViaService': serviceHost('secretsmanager', region) };
  const keyArn = id.startsWith('arn:') ? id : `${place}key/${id}`;
  return {
    ...{ Sid, Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'] },
    Resource: [alias === undefined ? keyArn : `${place}key/*`],
    Condition: {
      StringLike: via,
      ...(alias !== undefined && { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': alias } }),
    },
  };
}
