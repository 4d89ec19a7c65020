using System.Collections.Frozen;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>
/// What name servers are told of this broker's topics, where that is not what their configuration says: a broker that leaves shows those
/// that can be written elsewhere as read-only, one that has come shows a part of their write queues. Configurations stay as they are.
/// </summary>
internal sealed class RouteView(NarrowRules rules, TimeProvider time)
{
    private readonly Lock _changing = new();
    private volatile View _view = new(FrozenSet<string>.Empty, FrozenSet<string>.Empty, 1, 0, 0);

    /// <summary>Topics whose producers are to go elsewhere.</summary>
    public FrozenSet<string> Moved => _view.Moved;

    /// <summary>Topics of which a part of the write queues is shown.</summary>
    public FrozenSet<string> Narrowed => _view.Narrowed;

    /// <summary>Topics lose their write permission in the routes.</summary>
    public void Leave(IEnumerable<string> topics) => Change(view => view with { Moved = topics.ToFrozenSet(StringComparer.Ordinal) });

    /// <summary>All topics may be written that may be.</summary>
    public void Stay()
    {
        if (_view.Moved.Count > 0)
        {
            Change(static view => view with { Moved = FrozenSet<string>.Empty });
        }
    }

    /// <summary>Topics show a part of their write queues.</summary>
    /// <param name="share">0 to 1, which shows all of them.</param>
    public void Narrow(IEnumerable<string> topics, double share) => Change(
        view => view with { Narrowed = share < 1 ? topics.ToFrozenSet(StringComparer.Ordinal) : FrozenSet<string>.Empty, Share = share });

    /// <summary>The topic as name servers are to see it.</summary>
    public TopicConfig Show(TopicConfig config)
    {
        View view = _view;
        TopicConfig shown = view.Moved.Contains(config.TopicName) ? config with { Perm = config.Perm & ~TopicPermission.Write } : config;
        return view.Narrowed.Contains(config.TopicName) && rules.QueuesOf(config, view.Share) is var queues && queues < config.WriteQueueNums
            ? shown with { WriteQueueNums = queues }
            : shown;
    }

    /// <summary>The version of what is shown: another one after each change of the topics, and after each change of the view.</summary>
    public DataVersion Show(DataVersion version)
    {
        View view = _view;
        return view.Changes == 0
            ? version
            : version with { Counter = version.Counter + view.Changes, Timestamp = Math.Max(version.Timestamp, view.ChangedAtMs) };
    }

    private void Change(Func<View, View> change)
    {
        lock (_changing)
        {
            View view = _view;
            _view = change(view) with { Changes = view.Changes + 1, ChangedAtMs = time.GetUtcNow().ToUnixTimeMilliseconds() };
        }
    }

    private sealed record View(FrozenSet<string> Moved, FrozenSet<string> Narrowed, double Share, long Changes, long ChangedAtMs);
}
