using System.Collections.Concurrent;
using System.Globalization;

namespace GrayMQ.Chaos.Gray;

/// <summary>A client has done with a message what it is for.</summary>
/// <param name="Seconds">Since the run's begin.</param>
/// <param name="Place">Broker, topic, queue and offset that it was read from.</param>
internal sealed record Acceptance(int Version, string Client, double Seconds, string Place)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Client} at {Seconds:F1} s from {Place}");
}

/// <summary>Which messages were sent, and which versions of each group have accepted them.</summary>
internal sealed class GrayLedger
{
    // A client commits, or acknowledges, what it has accepted by its next pull or within 5 s, and a broker has commits on disk within 5 s.
    private const double ConfirmedAfterSeconds = 10;

    private readonly ConcurrentDictionary<string, SoakMessage> _sent = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, List<Acceptance>>> _accepted = [];
    private readonly HashSet<(int, int)> _joined = [];
    private readonly List<(string Who, double From, double To)> _away = [];

    public int Sent => _sent.Count;

    public void Acknowledge(SoakMessage message) => _sent[message.Id] = message;

    /// <summary>Two versions are one side from now on: both may accept one message, as two clients of one version may.</summary>
    public void Join(int one, int other)
    {
        lock (_accepted)
        {
            _joined.Add((one, other));
        }
    }

    /// <summary>A broker, by its address, or a client was killed, and was there again.</summary>
    public void WasAway(string who, double from, double to)
    {
        lock (_accepted)
        {
            _away.Add((who, from, to));
        }
    }

    public void Accept(string group, string id, Acceptance acceptance)
    {
        lock (_accepted)
        {
            if (!_accepted.TryGetValue(group, out Dictionary<string, List<Acceptance>>? messages))
            {
                _accepted[group] = messages = new Dictionary<string, List<Acceptance>>(StringComparer.Ordinal);
            }

            if (!messages.TryGetValue(id, out List<Acceptance>? versions))
            {
                messages[id] = versions = [];
            }

            versions.Add(acceptance);
        }
    }

    /// <summary>Messages that a group has not accepted yet and has to.</summary>
    public int CountMissing(string group)
    {
        lock (_accepted)
        {
            Dictionary<string, List<Acceptance>> messages = Of(group);
            return _sent.Values.Count(message => message.Expect().IsRequired && !messages.ContainsKey(message.Id));
        }
    }

    /// <summary>How many a group has accepted, and how often it accepted one again.</summary>
    public (int Messages, int Again) Count(string group)
    {
        lock (_accepted)
        {
            Dictionary<string, List<Acceptance>> messages = Of(group);
            return (messages.Count, messages.Values.Sum(versions => versions.Count - 1));
        }
    }

    /// <summary>
    /// Messages that both sides of a group have accepted, where what the one said of it was lost with a process that was killed: then nobody
    /// knows, and the message is given again, to whoever its queue belongs to.
    /// </summary>
    public int CountUnconfirmed(string group)
    {
        lock (_accepted)
        {
            return Of(group).Values.Count(versions => AreTwoSides(versions) && !AreTwoSides(Confirmed(versions)));
        }
    }

    /// <summary>What is wrong with what a group has accepted, a line each.</summary>
    /// <param name="withSides">Whether its versions were sides; else only what is missing is wrong.</param>
    public List<string> Check(string group, bool withSides)
    {
        lock (_accepted)
        {
            Dictionary<string, List<Acceptance>> messages = Of(group);
            List<string> problems =
            [
                .. _sent.Values
                    .Where(message => message.Expect().IsRequired && !messages.ContainsKey(message.Id))
                    .Select(message => $"lost: {group} has not accepted {Describe(message)}"),
            ];
            if (withSides)
            {
                problems.AddRange(messages.Where(pair => AreTwoSides(Confirmed(pair.Value))).Select(pair =>
                    $"both: {group} has accepted {Describe(pair.Key)} as {NamesOf(pair.Value)}"));
                foreach (SoakMessage message in _sent.Values)
                {
                    if (messages.TryGetValue(message.Id, out List<Acceptance>? accepted)
                        && message.Expect().Versions is { } right
                        && accepted.Exists(version => !right.Contains(version.Version)))
                    {
                        problems.Add($"wrong side: {group} has accepted {Describe(message)} as {NamesOf(accepted)}");
                    }
                }
            }

            return problems;
        }
    }

    // The last acceptance counts in any case: what matters is whether one before it was known of.
    private List<Acceptance> Confirmed(List<Acceptance> versions) => [.. versions.Where(each => each == versions[^1] || !_away.Exists(away =>
        (each.Client == away.Who || each.Place.StartsWith(away.Who + ' ', StringComparison.Ordinal))
        && away.To >= each.Seconds
        && away.From <= each.Seconds + ConfirmedAfterSeconds))];

    private bool AreTwoSides(List<Acceptance> versions) =>
        versions.Exists(each => each.Version != versions[0].Version && !AreJoined(each.Version, versions[0].Version));

    private bool AreJoined(int one, int other) => _joined.Contains((one, other)) || _joined.Contains((other, one));

    private static string NamesOf(List<Acceptance> versions) => string.Join(", ", versions);

    private Dictionary<string, List<Acceptance>> Of(string group) => _accepted.GetValueOrDefault(group) ?? [];

    private string Describe(string id) => _sent.TryGetValue(id, out SoakMessage? message) ? Describe(message) : $"{id}, which was not acknowledged";

    private static string Describe(SoakMessage message) =>
        $"{message.Id} ({message.Topic} {message.Tag}, {(message.IsGray ? "gray" : "normal")}{(message.IsLate ? ", late" : "")}, sent "
        + (message.Phase is { } phase
            ? $"while {phase.Normal.Name} {phase.Normal.Shape.Name} is normal and {phase.Gray?.Name ?? "nobody"} gray, topics {(phase.TopicsAreOn ? "on" : "off")}, ended by {phase.Ending})"
            : "while something changed)");
}
