using System.CommandLine;
using GrayMQ.Hosting.TakeOvers;
using GrayMQ.Remoting.Transports;

namespace GrayMQ.Cli.Servers;

/// <summary><c>graymq standalone</c></summary>
internal static class StandaloneCommand
{
    public static Command Create(CommandContext context)
    {
        var options = new ServerOptions(
            "Settings of the broker, as in RocketMQ's broker.conf",
            "One setting, before that of the file; may be given again. A key that both servers have can be set for one of them: "
            + "broker.KEY=VALUE, namesrv.KEY=VALUE. To be reachable from other machines: bindAddress=0.0.0.0 and brokerIP1=ADDRESS, "
            + "this machine's address as clients see it");
        var store = new Option<string?>("--store") { Description = "Directory of all data (default ./data)", HelpName = "DIR" };
        Option<string?> nameServerPort = Port("--namesrv-port", "Port of the name server (default 9876)");
        Option<string?> brokerPort = Port("--broker-port", "Port of the broker (default 10911); old clients send to the one 2 below");
        Option<string?> httpPort = Port("--http-port", "Port of HTTP (default 8080); 0 switches it off");
        var nameServerFile = new Option<string?>("--namesrv-config")
        {
            Description = "Settings of the name server, as in RocketMQ's namesrv.conf",
            HelpName = "FILE",
        };
        var command = new Command("standalone", "Run a name server and a broker in one process, reachable from this machine only");
        command.Options.Add(store);
        command.Options.Add(nameServerPort);
        command.Options.Add(brokerPort);
        command.Options.Add(httpPort);
        options.AddTo(command);
        command.Options.Add(nameServerFile);
        NotTakenOver.AddTo(
            command, "of a standalone server, whose name server would be gone meanwhile, run broker and name server as two processes, or keep its ports open by systemd's sockets");
        command.SetAction((parsed, cancel) =>
        {
            var arguments = new StandaloneArguments
            {
                Store = parsed.GetValue(store),
                NameServerPort = parsed.GetValue(nameServerPort),
                BrokerPort = parsed.GetValue(brokerPort),
                HttpPort = parsed.GetValue(httpPort),
                BrokerFile = options.File(parsed),
                NameServerFile = parsed.GetValue(nameServerFile),
                Assignments = options.Assignments(parsed),
                Variables = context.Variables,
            };
            var settings = new StandaloneSettings(arguments);
            if (!settings.Succeeded)
            {
                return Task.FromResult(SettingsReport.Refuse(context, settings.NameServer, settings.Broker));
            }

            if (options.PrintsSettings(parsed))
            {
                return Task.FromResult(SettingsReport.Print(
                    context, options.PrintsJson(parsed), settings.NameServer.GetOrThrow(), settings.Broker.GetOrThrow()));
            }

            return options.ServeAsync(
                parsed,
                context,
                settings.Warnings,
                loggers => new Standalone(settings, arguments, loggers, context.Time, new ListeningSockets(SystemdSockets.Take())),
                cancel);
        });
        return command;
    }

    private static Option<string?> Port(string name, string description) =>
        new(name) { Description = description, HelpName = "N" };
}
