using System.CommandLine;
using System.Text.Json;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Cli.Gray;

/// <summary><c>graymq gray status</c></summary>
internal static class GrayStatusCommand
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);

    public static Command Create(ToolHost host)
    {
        var subject = new Argument<string?>("NAME")
        {
            Description = "Only this group or topic",
            Arity = ArgumentArity.ZeroOrOne,
            DefaultValueFactory = _ => null,
        };
        var watch = new Option<bool>("--watch") { Description = "Again every second, until it is interrupted; with --json one line each" };
        var command = new Command("status", "Each client's side, each queue's owner and boundary, and what is still to consume");
        command.Arguments.Add(subject);
        command.Options.Add(watch);
        host.OnRun(command, async (run, cancel) =>
        {
            if (!run.Get(watch))
            {
                GrayStatusView status = await ReadAsync(run, run.Get(subject), cancel).ConfigureAwait(false);
                run.Write(status, ResultJson.Document.GrayStatusView, result => GrayStatusPrinter.Print(result, run.Context));
                return;
            }

            while (true)
            {
                GrayStatusView status = await ReadAsync(run, run.Get(subject), cancel).ConfigureAwait(false);
                if (run.IsJson)
                {
                    run.Context.WriteLine(JsonSerializer.Serialize(status, ResultJson.Line.GrayStatusView));
                }
                else
                {
                    if (run.Context.IsTerminal)
                    {
                        // Home, then clear what is below: without the flicker of an empty screen.
                        run.Context.Output.Write("\u001b[H\u001b[J");
                    }

                    GrayStatusPrinter.Print(status, run.Context);
                }

                await Task.Delay(WatchInterval, run.Context.Time, cancel).ConfigureAwait(false);
            }
        });
        return command;
    }

    private static async Task<GrayStatusView> ReadAsync(ToolRun run, string? subject, CancellationToken cancel)
    {
        try
        {
            return await GrayStatusReader.ReadAsync(run, subject, cancel).ConfigureAwait(false);
        }
        catch (BrokerException e) when (e.Code == ResponseCode.RequestCodeNotSupported)
        {
            throw GrayCommands.NotOurs(run);
        }
    }
}
