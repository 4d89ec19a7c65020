using System.CommandLine;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Client.Errors;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Cli.Gray;

/// <summary><c>graymq gray …</c></summary>
internal static class GrayCommands
{
    public static Command Create(ToolHost host)
    {
        Command topic = new("topic", "Give gray messages of a topic queues of their own, or no longer")
        {
            GrayTopicCommands.Enable(host),
            GrayTopicCommands.Disable(host),
        };
        Command rule = new("rule", "Say which clients of a group are gray") { GrayRuleCommands.Add(host), GrayRuleCommands.Remove(host), GrayRuleCommands.List(host) };
        Command client = new("client", "Say of one client on which side it is") { GrayReleaseCommands.SetClient(host) };
        return host.Group(
            "gray",
            "Release a new version of a service beside the old one, each with its own messages",
            topic,
            GrayReleaseCommands.Open(host),
            rule,
            client,
            GrayReleaseCommands.Promote(host),
            GrayReleaseCommands.Withdraw(host),
            GrayReleaseCommands.Cancel(host),
            GrayReleaseCommands.Force(host),
            GrayStatusCommand.Create(host),
            GrayHistoryCommand.Create(host));
    }

    public static Argument<string> Group() => new("GROUP") { Description = "Name of the consumer group" };

    public static Option<bool> Producer() => new("--producer") { Description = "The group is one of producers" };

    public static Option<bool> Wait() => new("--wait") { Description = "Return when it has ended; what it waits for is shown meanwhile" };

    /// <summary>Gives a command, waits if so asked, and says what came of it.</summary>
    public static async Task ChangeAsync(ToolRun run, GrayCommand command, bool wait, CancellationToken cancel)
    {
        try
        {
            (GrayVersion version, string summary) = await run.Cluster.Admin
                .ChangeGrayStateAsync(command, $"{Environment.UserName}@{Environment.MachineName}", cancel: cancel).ConfigureAwait(false);
            if (wait)
            {
                summary = await GrayWait.UntilEndedAsync(run, command, summary, cancel).ConfigureAwait(false);
            }

            run.Write(
                new GrayChangeResult(version.Epoch, version.Version, summary),
                ResultJson.Document.GrayChangeResult,
                result => run.Context.WriteLine(char.ToUpperInvariant(result.Summary[0]) + result.Summary[1..] + "."));
        }
        catch (BrokerException e) when (e.Code == ResponseCode.RequestCodeNotSupported)
        {
            throw NotOurs(run);
        }
        catch (BrokerException e) when (
            e is { Remark: { } remark, Code: ResponseCode.TopicNotExist or ResponseCode.SubscriptionGroupNotExist or ResponseCode.ConsumerNotOnline })
        {
            throw CommandFailure.NotFound(remark);
        }
        catch (BrokerException e) when (e is { Remark: { } wrong, Code: ResponseCode.InvalidParameter })
        {
            throw CommandFailure.Usage(wrong);
        }
    }

    public static CommandFailure NotOurs(ToolRun run) =>
        new(ExitCode.Failure, $"name server {run.NameServers} knows no gray release: it is not GrayMQ's");
}
