const RFC3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/** Whether the text is a time as Go writes it in UTC: RFC 3339, up to nanoseconds, `Z`. */
export const isUtcTime = (text: string): boolean => RFC3339_UTC.test(text) && !Number.isNaN(Date.parse(text));
