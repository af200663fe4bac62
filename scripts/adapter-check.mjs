// Says which WebGPU adapter this machine offers, in one line. Exits with 1 where there is none.
// Plain JavaScript without a build, because scripts/setup.sh asks before and after it has installed a driver.

// Dawn aborts the process if this object is collected before what came from it, so it lives as long as the module.
let gpu;

try {
  // Imported here, so that a platform that the package has no binary for gets a line too instead of a stack trace.
  const { create } = await import('webgpu');
  gpu = create([]);
  const adapter = await gpu.requestAdapter();
  if (adapter) {
    const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
    const kind = isFallbackAdapter || architecture === 'software' ? 'software' : 'hardware';
    const maker = [vendor, architecture].filter(Boolean).join(' ') || 'unnamed';
    console.log(`WebGPU adapter: ${maker}, ${description} (${kind})`);
  } else {
    console.log('WebGPU adapter: none');
    process.exitCode = 1;
  }
} catch (error) {
  console.log(`WebGPU adapter: none, the webgpu package does not load (${String(error.message).split('\n')[0]})`);
  process.exitCode = 1;
}
