using GrayMQ.Gray;
using GrayMQ.NameServer.Gray.States;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;

namespace GrayMQ.NameServer.Gray.Commands;

/// <summary>Holds commands against their form, then hands them to what decides. Every command has a defined answer.</summary>
internal static class GrayCommands
{
    /// <summary>What is wrong with a command, whatever the state; null when nothing is.</summary>
    public static string? Problem(GrayCommand command)
    {
        bool ofTopic = command.Action is GrayAction.EnableTopic or GrayAction.DisableTopic
            || (command.Action is GrayAction.Cancel or GrayAction.Force && command.Topic is not null);
        if (command.Action == GrayAction.None || !Enum.IsDefined(command.Action))
        {
            return $"there is no action {(int)command.Action}";
        }

        if (ofTopic && command.Group is not null)
        {
            return "a command is about a topic or a group, not both";
        }

        // Names like %RETRY%group are legal; whether they may be gray is for the rules to say.
        string? name = ofTopic ? command.Topic : command.Group;
        if ((ofTopic ? TopicNames.Problem(name ?? "") : GroupNames.Problem(name ?? "")) is { } problem)
        {
            return $"the {(ofTopic ? "topic" : "group")} \"{Printable(name)}\": {problem}";
        }

        return command.Action switch
        {
            GrayAction.AddRule or GrayAction.RemoveRule when command.Address is null == command.ClientGlob is null =>
                "a rule has a pattern of client ids, or an address",
            GrayAction.AddRule => ReleaseCommands.RuleOf(command).Problem(),
            GrayAction.SetClient when command.Client is not { Length: > 0 and <= GrayLimits.MaxClientIdLength } || command.Client.Any(char.IsControl) =>
                $"a client id has 1 to {GrayLimits.MaxClientIdLength} printable characters",
            GrayAction.SetClient when command.Gray is null => "it is not said whether the client is gray",
            _ when command.AbsenceMs is < GrayRelease.ForEver => $"a wait of {command.AbsenceMs} ms",
            _ => null,
        };
    }

    /// <summary>Whether the command is about a release, so that brokers are asked about its group.</summary>
    public static bool NeedsGroup(GrayCommand command) =>
        command.Action is GrayAction.Open or GrayAction.SetClient or GrayAction.Promote;

    /// <param name="command">In which <see cref="Problem"/> found nothing.</param>
    public static GrayDecision Decide(GrayView view, GrayCommand command, GrayFacts facts) => command.Action switch
    {
        GrayAction.EnableTopic => TopicCommands.Enable(view, command, facts),
        GrayAction.DisableTopic => TopicCommands.Disable(view, command, facts),
        GrayAction.Open => ReleaseCommands.Open(view, command, facts),
        GrayAction.AddRule => ReleaseCommands.AddRule(view, command, facts),
        GrayAction.RemoveRule => ReleaseCommands.RemoveRule(view, command, facts),
        GrayAction.SetClient => ReleaseCommands.SetClient(view, command, facts),
        GrayAction.Promote => ReleaseCommands.Promote(view, command, facts),
        GrayAction.Withdraw => ReleaseCommands.Withdraw(view, command, facts),
        GrayAction.Cancel when command.Topic is not null => TopicCommands.Cancel(view, command),
        GrayAction.Cancel => ReleaseCommands.Cancel(view, command, facts),
        GrayAction.Force when command.Topic is not null => TopicCommands.Force(view, command, facts),
        GrayAction.Force => ReleaseCommands.Force(view, command, facts),
        _ => GrayDecision.Refuse($"there is no action {(int)command.Action}"),
    };

    /// <summary>Ends a change of which everybody has done their part.</summary>
    public static GrayDecision End(GrayView view, GrayOngoing change, long nowMs, string by) =>
        GrayNames.TopicOf(change.Name) is null
            ? ReleaseCommands.End(view, change, nowMs, by)
            : TopicCommands.End(view, change, nowMs, by);

    private static string Printable(string? text) => new([.. (text ?? "").Where(c => !char.IsControl(c)).Take(GroupNames.MaxLength)]);
}
