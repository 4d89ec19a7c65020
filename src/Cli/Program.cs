using GrayMQ.Cli;
using GrayMQ.Hosting;

using var signals = new StopSignals();
return await GrayMQCommand.RunAsync(args, CommandContext.OfProcess() with { Hurry = signals.Hurry }, signals.Token).ConfigureAwait(false);
