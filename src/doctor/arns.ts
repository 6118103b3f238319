/** The partition of a region by its name; undefined where no region is named. */
export function partitionOf(region: string | undefined): string | undefined {
  if (region === undefined) return undefined;
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

/** How a service is called within a region (kms:ViaService). */
export const serviceHost = (service: string, region: string | undefined): string =>
  `${service}.${region ?? '*'}.amazonaws.com${partitionOf(region) === 'aws-cn' ? '.cn' : ''}`;

export const secretArn = (partition: string, region: string | undefined, name: string): string =>
  `arn:${partition}:secretsmanager:${region ?? '*'}:*:secret:${name}`;

/** `sqs.REGION.amazonaws.com`, also of a VPC endpoint and of FIPS. */
const SQS_REGION = /(?:^|\.)sqs(?:-fips)?\.([a-z]{2}[a-z-]*-\d+)\./;

/** Which queue a URL names; what it does not tell is `*`. */
export function queuePlace(url: string): { readonly arn: string; readonly partition: string } {
  const { hostname, pathname } = new URL(url);
  const region = SQS_REGION.exec(hostname)?.[1];
  const [account = '', name = ''] = pathname
    .split('/')
    .filter((part) => part !== '')
    .slice(-2);
  const partition = partitionOf(region) ?? 'aws';
  return {
    arn: `arn:${partition}:sqs:${region ?? '*'}:${/^\d{12}$/.test(account) ? account : '*'}:${name}`,
    partition,
  };
}
