namespace GrayMQ.Compatibility.Tests.Wire;

/// <summary>
/// The handles of a recording's popped messages, and what they are here: the times at which messages were handed out are other ones, and
/// so are the revive queues, of which there are none here.
/// </summary>
internal sealed class PopHandles
{
    private const int PopTime = 1;
    private const int ReviveQueue = 3;

    private readonly Dictionary<string, (string PopTime, string ReviveQueue)> _live = new(StringComparer.Ordinal);

    /// <summary>Takes in what a pop, or a change of the time, was answered there and here.</summary>
    public void Add(WireFrame recorded, WireFrame live)
    {
        if (recorded.Fields.TryGetValue("popTime", out string? recordedTime) && live.Fields.TryGetValue("popTime", out string? liveTime))
        {
            _live[recordedTime] = (liveTime, live.Fields["reviveQid"]);
        }
    }

    /// <summary>The handle that the recorded client would have here.</summary>
    public string Live(string recorded)
    {
        string[] parts = recorded.Split(' ');
        (parts[PopTime], parts[ReviveQueue]) = _live[parts[PopTime]];
        return string.Join(' ', parts);
    }

    public string LiveTime(string recorded) => _live[recorded].PopTime;

    /// <summary>Which queue a pop begins with is chance: the queues' texts in one order.</summary>
    public static string InOrder(string queues) => string.Join(';', queues.Split(';').Order(StringComparer.Ordinal));
}
