/** The variables this program was started with. Everything else is handed them as an argument. */
export const environment = (): NodeJS.ProcessEnv => {
  // biome-ignore lint/style/noProcessEnv: the one place that reads them, so that every other part can be tested with its own
  return process.env;
};

/** On Node 20 the AWS SDK warns, as text on stderr, that later versions of it will want a newer Node. */
export const silenceSdk = (): void => {
  environment()['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
};
