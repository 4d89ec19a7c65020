using System.CommandLine;
using GrayMQ.Broker;
using GrayMQ.Hosting.TakeOvers;
using GrayMQ.Remoting.Transports;
using GrayMQ.Settings;

namespace GrayMQ.Cli.Servers;

/// <summary><c>graymq broker</c></summary>
internal static class BrokerCommand
{
    public static Command Create(CommandContext context)
    {
        var options = new ServerOptions("Settings, as in RocketMQ's broker.conf");
        var nameServers = new Option<string?>("--namesrv", "-n")
        {
            Description = "Name servers to register with, before namesrvAddr of the file",
            HelpName = "ADDR[;ADDR]",
        };
        var takeOver = new Option<int?>("--take-over")
        {
            Description = "Take the place of the broker that runs as this process on the same store: it hands over its listening sockets and "
                + "ends, and whoever connects meanwhile waits instead of failing",
            HelpName = "PID",
        };
        var command = new Command("broker", "Run a broker");
        command.Options.Add(nameServers);
        command.Options.Add(takeOver);
        options.AddTo(command);
        command.SetAction((parsed, cancel) =>
        {
            SettingsSources sources = options.Sources(parsed, context);
            if (parsed.GetValue(nameServers) is { } addresses)
            {
                sources.Option("--namesrv", "namesrvAddr", addresses);
            }

            SettingsLoad load = BrokerSettings.Catalogue.Load(sources);
            if (!load.Succeeded)
            {
                return Task.FromResult(SettingsReport.Refuse(context, load));
            }

            if (options.PrintsSettings(parsed))
            {
                return Task.FromResult(SettingsReport.Print(context, options.PrintsJson(parsed), load.Settings));
            }

            return options.ServeAsync<IServer>(
                parsed,
                context,
                load.Warnings,
                loggers => parsed.GetValue(takeOver) is { } predecessor
                    ? new SucceedingBroker(load.Settings, loggers, context.Time, predecessor)
                    : new HostedBroker(
                        load.Settings, loggers, context.Time, new ListeningSockets(SystemdSockets.Take()), offersSockets: true),
                cancel);
        });
        return command;
    }
}
