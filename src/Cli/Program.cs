using GrayMQ.Cli;
using GrayMQ.Hosting;

using var signals = new StopSignals();
return await GrayMQCommand.RunAsync(args, CommandContext.OfProcess(), signals.Token).ConfigureAwait(false);
