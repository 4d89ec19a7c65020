using GrayMQ.Broker;
using GrayMQ.Hosting;

return await ServerProgram.RunAsync(
    "broker",
    args,
    BrokerSettings.Catalogue,
    static (settings, _, loggers) => new BrokerHost(settings, TimeProvider.System, loggers)).ConfigureAwait(false);
