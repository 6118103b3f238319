/** The values that the demo writes, or pieces of them: whoever tests it looks for them where they must not be. */
export const VALUES = {
  first: 'tern-5417',
  second: 'puffin-8206',
  host: 'db-3.skerry.example',
  third: 'gannet-6630',
  large: 'eider-3391',
  small: 'fulmar-7724',
  foreign: 'skua-2288',
  ours: 'razorbill-9043',
};
