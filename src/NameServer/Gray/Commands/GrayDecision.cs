using System.Text;
using GrayMQ.Gray;
using GrayMQ.NameServer.Gray.Databases;
using GrayMQ.NameServer.Gray.States;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.NameServer.Gray.Commands;

/// <summary>What becomes of a command: it is refused, there is nothing to do, or rows change.</summary>
internal sealed class GrayDecision
{
    private readonly List<(GrayRowKind Kind, string Name)> _remove = [];
    private readonly List<GrayRow> _put = [];
    private readonly List<(string Change, string Broker)> _owed = [];
    private readonly List<string> _forget = [];
    private readonly List<string> _know = [];

    private GrayDecision(string? refusal, string summary, ResponseCode code)
    {
        Refusal = refusal;
        Summary = summary;
        Code = code;
    }

    /// <summary>What a refused command is answered with.</summary>
    public ResponseCode Code { get; }

    /// <summary>Why it is refused; null when it is not.</summary>
    public string? Refusal { get; }

    /// <summary>What comes of it, for people.</summary>
    public string Summary { get; }

    /// <summary>Whether the state is to change.</summary>
    public bool Changes => _remove.Count + _put.Count + _know.Count > 0;

    public static GrayDecision Refuse(string why, ResponseCode code = ResponseCode.GrayRefused) => new(why, "", code);

    public static GrayDecision Done(string summary) => new(null, summary, ResponseCode.Success);

    public GrayDecision Put(GrayTopic topic)
    {
        _put.Add(new GrayRow(GrayRowKind.Topic, topic.Name, Encoding.UTF8.GetString(GrayJson.Encode(topic))));
        return this;
    }

    public GrayDecision Put(GrayRelease release)
    {
        _put.Add(new GrayRow(
            GrayRowKind.Release, GrayNames.Release(release.Group, release.Kind), Encoding.UTF8.GetString(GrayJson.Encode(release))));
        return this;
    }

    public GrayDecision RemoveTopic(string topic)
    {
        _remove.Add((GrayRowKind.Topic, topic));
        return this;
    }

    /// <summary>A change that is under way ends.</summary>
    public GrayDecision End(string change)
    {
        _remove.Add((GrayRowKind.Change, change));
        return this;
    }

    /// <summary>A change begins, to which brokers owe their part.</summary>
    public GrayDecision Begin(string change, GrayAction action, long since, long nowMs, IEnumerable<string> brokers)
    {
        _put.Add(new GrayRow(GrayRowKind.Change, change, new GrayOngoingRow(action, since, nowMs).ToJson()));
        _owed.AddRange(brokers.Select(broker => (change, broker)));
        return this;
    }

    /// <summary>Brokers are counted as gone for good.</summary>
    public GrayDecision Forget(IEnumerable<string> brokers)
    {
        _forget.AddRange(brokers);
        return this;
    }

    /// <summary>A broker acts on the state from now on: a change of it, since what begins later is to wait for the broker.</summary>
    public GrayDecision Know(string broker)
    {
        _know.Add(broker);
        return this;
    }

    public GrayRowChanges ToRows(GrayAudit audit) => new()
    {
        Remove = _remove,
        Put = _put,
        Owed = _owed,
        Forget = _forget,
        Know = _know,
        Audit = audit with { Summary = Summary },
    };
}
