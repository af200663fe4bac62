/** The devices that can be asked for. A file of its own, so that parsing a command line does not load the backends. */
export const DEVICE_CHOICES = ['auto', 'webgpu', 'cpu'] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];
