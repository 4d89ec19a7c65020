using System.CommandLine;
using GrayMQ.Hosting.TakeOvers;
using GrayMQ.NameServer;
using GrayMQ.Remoting.Transports;
using GrayMQ.Settings;

namespace GrayMQ.Cli.Servers;

/// <summary><c>graymq namesrv</c></summary>
internal static class NameServerCommand
{
    public static Command Create(CommandContext context)
    {
        var options = new ServerOptions("Settings, as in RocketMQ's namesrv.conf");
        var nameServers = new Option<string?>("--namesrv", "-n")
        {
            Description = "Taken as RocketMQ takes it, without effect: name servers do not know each other",
            HelpName = "ADDR[;ADDR]",
            Hidden = true,
        };
        var command = new Command("namesrv", "Run a name server");
        command.Options.Add(nameServers);
        options.AddTo(command);
        NotTakenOver.AddTo(
            command,
            "clients and brokers of a name server that is stopped go on with another one, and one that is alone keeps its port open by systemd's socket");
        command.SetAction((parsed, cancel) =>
        {
            SettingsLoad load = NameServerSettings.Catalogue().Load(options.Sources(parsed, context));
            if (!load.Succeeded)
            {
                return Task.FromResult(SettingsReport.Refuse(context, load));
            }

            if (options.PrintsSettings(parsed))
            {
                return Task.FromResult(SettingsReport.Print(context, options.PrintsJson(parsed), load.Settings));
            }

            return options.ServeAsync(
                parsed,
                context,
                load.Warnings,
                loggers => new HostedNameServer(
                    load.Settings, options.File(parsed), loggers, context.Time, new ListeningSockets(SystemdSockets.Take())),
                cancel);
        });
        return command;
    }
}
