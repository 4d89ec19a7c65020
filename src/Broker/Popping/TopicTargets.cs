using GrayMQ.Broker.Filtering;
using GrayMQ.Broker.Gray;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// The targets at which a message of one topic is waited for. Those at which all who wait have one expression that the topic's index knows stand by
/// its number, so that a message costs what it matches and not how many groups wait.
/// </summary>
internal sealed class TopicTargets(string topic)
{
    private volatile PopTarget[] _all = [];
    private int _isStale;

    // By whoever tells of arrivals, one at a time: the same targets, sorted for one version of the index and one state of gray releases.
    private readonly Dictionary<int, List<PopTarget>> _byNumber = [];
    private readonly List<PopTarget> _others = [];
    private FilterVersion? _version;
    private GrayView? _gray;

    /// <summary>All of them. Changed by <see cref="ParkedTargets"/>.</summary>
    public PopTarget[] All
    {
        get => _all;
        set
        {
            _all = value;
            MarkStale();
        }
    }

    /// <summary>Those that every message may be for. Good until the next <see cref="SortFor"/>.</summary>
    public IReadOnlyList<PopTarget> Others => _others;

    public bool HasNumbers => _byNumber.Count > 0;

    /// <summary>The expression of a target has changed. To be told before looking whether a message has come meanwhile.</summary>
    public void MarkStale() => Volatile.Write(ref _isStale, 1);

    /// <summary>Sorts the targets, unless they are. To be called after the message can be read.</summary>
    /// <param name="gray">Where a group has a gray release, who waits has to look for itself.</param>
    public void SortFor(FilterVersion version, GrayView? gray)
    {
        if (Volatile.Read(ref _isStale) == 0 && ReferenceEquals(version, _version) && ReferenceEquals(gray, _gray))
        {
            return;
        }

        // A full fence: what changes after this is marked again.
        Interlocked.Exchange(ref _isStale, 0);
        (_version, _gray) = (version, gray);
        _byNumber.Clear();
        _others.Clear();
        foreach (PopTarget target in _all)
        {
            if (target.Topic.Name == topic
                && target.Waiters.Expression is { } expression
                && expression.IsIn(version.Generation)
                && gray?.FindGroup(target.Group) is null)
            {
                if (!_byNumber.TryGetValue(expression.Id, out List<PopTarget>? targets))
                {
                    _byNumber.Add(expression.Id, targets = []);
                }

                targets.Add(target);
            }
            else
            {
                _others.Add(target);
            }
        }
    }

    /// <summary>Those whose expression has this number. Good until the next <see cref="SortFor"/>.</summary>
    public IReadOnlyList<PopTarget> Of(int number) => _byNumber.TryGetValue(number, out List<PopTarget>? targets) ? targets : [];
}
