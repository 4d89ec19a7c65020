using GrayMQ.Hosting;
using GrayMQ.NameServer;

return await ServerProgram.RunAsync(
    "namesrv",
    args,
    NameServerSettings.Catalogue(),
    (settings, file, loggers) => new NameServerHost(settings, TimeProvider.System, loggers, file)).ConfigureAwait(false);
