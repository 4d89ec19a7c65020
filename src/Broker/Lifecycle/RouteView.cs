using System.Collections.Frozen;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>
/// What name servers are told of this broker's topics, where that is not what their configuration says: a broker that leaves shows those
/// that can be written elsewhere as read-only. Configurations stay as they are.
/// </summary>
internal sealed class RouteView(TimeProvider time)
{
    private volatile View _view = new(FrozenSet<string>.Empty, 0, 0);

    /// <summary>Topics whose producers are to go elsewhere.</summary>
    public FrozenSet<string> Moved => _view.Moved;

    /// <summary>Topics lose their write permission in the routes.</summary>
    public void Leave(IEnumerable<string> topics) => Change(topics.ToFrozenSet(StringComparer.Ordinal));

    /// <summary>All topics are shown as they are.</summary>
    public void Stay()
    {
        if (_view.Moved.Count > 0)
        {
            Change(FrozenSet<string>.Empty);
        }
    }

    /// <summary>The topic as name servers are to see it.</summary>
    public TopicConfig Show(TopicConfig config) =>
        _view.Moved.Contains(config.TopicName) ? config with { Perm = config.Perm & ~TopicPermission.Write } : config;

    /// <summary>The version of what is shown: another one after each change of the topics, and after each change of the view.</summary>
    public DataVersion Show(DataVersion version)
    {
        View view = _view;
        return view.Changes == 0
            ? version
            : version with { Counter = version.Counter + view.Changes, Timestamp = Math.Max(version.Timestamp, view.ChangedAtMs) };
    }

    private void Change(FrozenSet<string> moved) =>
        _view = new View(moved, _view.Changes + 1, time.GetUtcNow().ToUnixTimeMilliseconds());

    private sealed record View(FrozenSet<string> Moved, long Changes, long ChangedAtMs);
}
