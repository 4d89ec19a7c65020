using System.Globalization;
using GrayMQ.Gray;
using GrayMQ.NameServer.Gray.States;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.NameServer.Gray.Commands;

/// <summary>Opens releases, says who is gray, promotes and withdraws. Pure: state, command and facts in, decision out.</summary>
internal static class ReleaseCommands
{
    public static GrayDecision Open(GrayView view, GrayCommand command, GrayFacts facts)
    {
        if (MayOpen(view, command, facts, out GrayRelease? last) is { } refusal)
        {
            return refusal;
        }

        GrayRelease release = New(view, command, facts, last);
        return GrayDecision.Done($"release {Number(release.Generation)} of {Of(release)} is open").Put(release);
    }

    public static GrayDecision AddRule(GrayView view, GrayCommand command, GrayFacts facts)
    {
        if (FindOpen(view, command, out GrayRelease? release) is { } refusal)
        {
            return refusal;
        }

        GrayRule rule = RuleOf(command);
        if (release!.Rules.Contains(rule))
        {
            return GrayDecision.Refuse($"{Of(release)} has this rule already");
        }

        return release.Rules.Count >= GrayLimits.MaxRules
            ? GrayDecision.Refuse($"{Of(release)} has {release.Rules.Count} rules, which is the limit")
            : GrayDecision.Done($"clients of {Of(release)} that match {Shown(rule)} are gray")
                .Put(Touched(release, facts) with { Rules = [.. release.Rules, rule] });
    }

    public static GrayDecision RemoveRule(GrayView view, GrayCommand command, GrayFacts facts)
    {
        if (FindOpen(view, command, out GrayRelease? release) is { } refusal)
        {
            return refusal;
        }

        GrayRule rule = RuleOf(command);
        return release!.Rules.Contains(rule)
            ? GrayDecision.Done($"the rule {Shown(rule)} of {Of(release)} is removed")
                .Put(Touched(release, facts) with { Rules = [.. release.Rules.Where(other => other != rule)] })
            : GrayDecision.Refuse($"{Of(release)} has no rule {Shown(rule)}");
    }

    /// <summary>Stores a client's side. The first that is set gray opens a release; the last gray one that is set back drains and closes it.</summary>
    public static GrayDecision SetClient(GrayView view, GrayCommand command, GrayFacts facts)
    {
        string client = command.Client!;
        bool gray = command.Gray!.Value;
        GroupFacts group = facts.Group!;
        if (!group.Clients.Contains(client))
        {
            return NotConnected(command, group);
        }

        GrayRelease? release = view.FindRelease(command.Group!, KindOf(command));
        if (release is not { IsOpen: true })
        {
            if (!gray)
            {
                return GrayDecision.Done($"client {client} is normal: {Of(command)} has no open release");
            }

            if (MayOpen(view, command, facts, out GrayRelease? last) is { } refusal)
            {
                return refusal;
            }

            GrayRelease opened = New(view, command, facts, last);
            return GrayDecision.Done($"release {Number(opened.Generation)} of {Of(opened)} is open, and client {client} is gray")
                .Put(opened with { Clients = new Dictionary<string, Side> { [client] = Side.Gray } });
        }

        if (FindOpen(view, command, out _) is { } closing)
        {
            return closing;
        }

        Side side = gray ? Side.Gray : Side.Normal;
        if (release.Clients.TryGetValue(client, out Side stored) && stored == side)
        {
            return GrayDecision.Done($"client {client} of {Of(release)} is set to {Shown(side)} already");
        }

        if (!gray && group.GrayClients.Contains(client) && group.GrayClients.Count == 1)
        {
            // Set back at once, nobody would be left to drain what is in the gray queues.
            return Promote(view, command, facts, $"client {client} is the last gray one: ");
        }

        // Flags die with their client: those of clients that are gone make room.
        var clients = release.Clients
            .Where(pair => group.Silent.Count > 0 || group.Clients.Contains(pair.Key))
            .ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        clients[client] = side;
        return clients.Count > GrayLimits.MaxClients
            ? GrayDecision.Refuse($"{Of(release)} has {GrayLimits.MaxClients} clients with a side of their own, which is the limit")
            : GrayDecision.Done($"client {client} of {Of(release)} is {Shown(side)}")
                .Put(Touched(release, facts) with { Clients = clients });
    }

    public static GrayDecision Promote(GrayView view, GrayCommand command, GrayFacts facts, string because = "")
    {
        if (FindOpen(view, command, out GrayRelease? release) is { } refusal)
        {
            return refusal;
        }

        if (release!.Kind == GrayReleaseKind.Consumer)
        {
            GroupFacts group = facts.Group!;
            if (command.Replace && group.GrayClients.Count == 0)
            {
                return GrayDecision.Refuse($"{Of(release)} has no gray client: nobody would be left to consume");
            }

            if (!command.Replace && group.Silent.Count > 0 && group.Subscriptions.Count == 0)
            {
                return GrayDecision.Refuse($"it cannot be seen whether both sides subscribe alike: {string.Join("; ", group.Silent)}");
            }

            if (!command.Replace && group.Difference() is { } difference)
            {
                return GrayDecision.Refuse(
                    $"{because}the sides of {Of(release)} do not subscribe alike ({difference}), and as one side they would drop messages: "
                    + "promote with --replace, which retires the normal side");
            }
        }

        GrayRelease promoting = Touched(release, facts) with
        {
            State = GrayReleaseState.Promoting,
            Promotion = command.Replace ? GrayPromotion.Replace : GrayPromotion.Join,
            Leftover = null,
        };
        return Begin(view, promoting, GrayAction.Promote, facts, $"{because}release {Number(release.Generation)} of {Of(release)} is being promoted");
    }

    public static GrayDecision Withdraw(GrayView view, GrayCommand command, GrayFacts facts)
    {
        if (command.SkipLeftover is not { } skip)
        {
            return GrayDecision.Refuse("it is not said what becomes of the messages that are left: --leftover normal or --leftover skip");
        }

        if (FindOpen(view, command, out GrayRelease? release) is { } refusal)
        {
            return refusal;
        }

        GrayRelease withdrawing = Touched(release!, facts) with
        {
            State = GrayReleaseState.Withdrawing,
            Leftover = skip ? GrayLeftover.Skip : GrayLeftover.Normal,
            Promotion = null,
        };
        string left = skip ? "what it leaves is skipped" : "what it leaves falls to the normal side";
        return Begin(
            view, withdrawing, GrayAction.Withdraw, facts, $"release {Number(withdrawing.Generation)} of {Of(withdrawing)} is being withdrawn; {left}");
    }

    /// <summary>Takes back a promotion or withdrawal that has not ended.</summary>
    public static GrayDecision Cancel(GrayView view, GrayCommand command, GrayFacts facts)
    {
        string change = GrayNames.Release(command.Group!, KindOf(command));
        return view.FindChange(change) is { } ongoing && view.FindRelease(command.Group!, KindOf(command)) is { } release
            ? GrayDecision.Done($"the {Shown(ongoing.Action)} of {Of(release)} is taken back; the release is open")
                .End(change)
                .Put(Touched(release, facts) with { State = GrayReleaseState.Open, Promotion = null, Leftover = null, Since = view.Version.Version + 1 })
            : GrayDecision.Refuse($"nothing is under way with {Of(command)}");
    }

    /// <summary>Ends handovers where they are; brokers that are gone are no longer waited for.</summary>
    public static GrayDecision Force(GrayView view, GrayCommand command, GrayFacts facts)
    {
        GrayRelease? release = view.FindRelease(command.Group!, KindOf(command));
        if (release is not { IsOpen: true })
        {
            return GrayDecision.Refuse($"{Of(command)} has no open release");
        }

        long since = view.Version.Version + 1;
        GrayRelease forced = Touched(release, facts) with { Forced = release.Forced + 1, Since = since };
        string change = GrayNames.Release(release.Group, release.Kind);
        if (view.FindChange(change) is not { } ongoing)
        {
            return GrayDecision.Done($"handovers of {Of(release)} are ended where they are").Put(forced);
        }

        string[] gone = [.. ongoing.Owing.Except(facts.Registered, StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        string[] left = [.. ongoing.Parts.Keys.Except(gone, StringComparer.Ordinal)];
        string without = gone.Length > 0 ? $", without {string.Join(", ", gone)}" : "";
        if (left.Length == 0)
        {
            return End(view, ongoing, facts.NowMs, facts.By, without).Forget(gone);
        }

        return GrayDecision.Done($"the {Shown(ongoing.Action)} of {Of(release)} is forced{without}")
            .Put(forced)
            .End(change)
            .Begin(change, ongoing.Action, since, ongoing.StartedMs, left)
            .Forget(gone);
    }

    /// <summary>Ends what all brokers have done their part of.</summary>
    public static GrayDecision End(GrayView view, GrayOngoing change, long nowMs, string by, string how = "")
    {
        GrayRelease release = view.Snapshot.Releases.First(release => GrayNames.Release(release.Group, release.Kind) == change.Name);
        bool promoted = change.Action == GrayAction.Promote;
        return GrayDecision
            .Done($"release {Number(release.Generation)} of {Of(release)} is {(promoted ? "promoted" : "withdrawn")}{how}")
            .End(change.Name)
            .Put(release with
            {
                State = promoted ? GrayReleaseState.Promoted : GrayReleaseState.Withdrawn,
                Since = view.Version.Version + 1,
                ChangedMs = nowMs,
                ChangedBy = by,
            });
    }

    public static GrayReleaseKind KindOf(GrayCommand command) =>
        command.Producer ? GrayReleaseKind.Producer : GrayReleaseKind.Consumer;

    public static GrayRule RuleOf(GrayCommand command) => command.Address is { } address
        ? new GrayRule { Kind = GrayRuleKind.Address, Pattern = address }
        : new GrayRule { Kind = GrayRuleKind.ClientId, Pattern = command.ClientGlob ?? "" };

    private static GrayDecision? MayOpen(GrayView view, GrayCommand command, GrayFacts facts, out GrayRelease? last)
    {
        last = view.FindRelease(command.Group!, KindOf(command));
        if (last is { IsOpen: true })
        {
            return GrayDecision.Refuse($"release {Number(last.Generation)} of {Of(last)} is {Shown(last.State)} already");
        }

        if (facts.Registered.Count == 0)
        {
            return GrayDecision.Refuse("no broker is registered");
        }

        if (facts.Unaware(facts.Registered) is { } unaware)
        {
            return GrayDecision.Refuse(unaware);
        }

        if (!facts.Group!.Exists)
        {
            string silent = facts.Group.Silent.Count > 0 ? $" ({string.Join("; ", facts.Group.Silent)})" : "";
            return GrayDecision.Refuse(
                command.Producer
                    ? $"{Of(command)} has no producer that is connected{silent}"
                    : $"{Of(command)} does not exist{silent}",
                command.Producer ? ResponseCode.ConsumerNotOnline : ResponseCode.SubscriptionGroupNotExist);
        }

        return last is null && view.Snapshot.Releases.Count >= GrayLimits.MaxReleases
            ? GrayDecision.Refuse($"{view.Snapshot.Releases.Count} groups have releases, which is the limit")
            : null;
    }

    private static GrayRelease New(GrayView view, GrayCommand command, GrayFacts facts, GrayRelease? last) => new()
    {
        Group = command.Group!,
        Kind = KindOf(command),
        Generation = (last?.Generation ?? 0) + 1,
        State = GrayReleaseState.Open,
        Unsubscribed = command.Hold ? GrayUnsubscribed.Hold : GrayUnsubscribed.Normal,
        AbsenceMs = command.AbsenceMs ?? GrayRelease.DefaultAbsenceMs,
        OpenedMs = facts.NowMs,
        OpenedBy = facts.By,
        ChangedMs = facts.NowMs,
        ChangedBy = facts.By,
        Since = view.Version.Version + 1,
    };

    private static GrayDecision? FindOpen(GrayView view, GrayCommand command, out GrayRelease? release)
    {
        release = view.FindRelease(command.Group!, KindOf(command));
        return release switch
        {
            { State: GrayReleaseState.Open } => null,
            { IsOpen: true } => GrayDecision.Refuse(
                $"release {Number(release.Generation)} of {Of(release)} is {Shown(release.State)}: wait, cancel or force it"),
            _ => GrayDecision.Refuse($"{Of(command)} has no open release"),
        };
    }

    private static GrayDecision Begin(GrayView view, GrayRelease release, GrayAction action, GrayFacts facts, string summary)
    {
        long since = view.Version.Version + 1;
        IEnumerable<string> brokers = view.Brokers.Union(facts.Registered, StringComparer.Ordinal);
        return facts.Registered.Count == 0
            ? GrayDecision.Refuse("no broker is registered")
            : facts.Unaware(facts.Registered) is { } unaware
                ? GrayDecision.Refuse(unaware)
                : GrayDecision.Done(summary)
                    .Put(release with { Since = since })
                    .Begin(GrayNames.Release(release.Group, release.Kind), action, since, facts.NowMs, brokers);
    }

    private static GrayDecision NotConnected(GrayCommand command, GroupFacts group)
    {
        string connected = group.Clients.Count == 0
            ? "none is"
            : string.Join(", ", group.Clients.Order(StringComparer.Ordinal).Take(10)) + (group.Clients.Count == 1 ? " is" : " are");
        string silent = group.Silent.Count > 0 ? $"; {string.Join("; ", group.Silent)}" : "";
        return GrayDecision.Refuse($"client {command.Client} of {Of(command)} is not connected: {connected}{silent}", ResponseCode.ConsumerNotOnline);
    }

    private static GrayRelease Touched(GrayRelease release, GrayFacts facts) =>
        release with { ChangedMs = facts.NowMs, ChangedBy = facts.By };

    private static string Of(GrayCommand command) => Of(command.Group!, KindOf(command));

    private static string Of(GrayRelease release) => Of(release.Group, release.Kind);

    private static string Of(string group, GrayReleaseKind kind) =>
        kind == GrayReleaseKind.Producer ? $"producer group {group}" : $"group {group}";

    private static string Number(long generation) => generation.ToString(CultureInfo.InvariantCulture);

    private static string Shown(Side side) => side == Side.Gray ? "gray" : "normal";

    private static string Shown(GrayRule rule) => $"{(rule.Kind == GrayRuleKind.Address ? "address" : "client id")} {rule.Pattern}";

    private static string Shown(GrayAction action) => action == GrayAction.Promote ? "promotion" : "withdrawal";

    private static string Shown(GrayReleaseState state) => state switch
    {
        GrayReleaseState.Open => "open",
        GrayReleaseState.Promoting => "being promoted",
        GrayReleaseState.Withdrawing => "being withdrawn",
        _ => "closed",
    };
}
