using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Dispatching;

/// <summary>
/// The followers of a store, each with how far it has been shown the log, so that it sees no record twice, whoever walks the log and
/// how often. Used under the dispatch lock.
/// </summary>
internal sealed class LogFollowers(IReadOnlyList<ILogFollower> followers, ILogger logger)
{
    // Per follower: records that begin below have been shown, or need not be.
    private readonly long[] _shownTo = [.. followers.Select(follower => follower.AppliedOffset)];

    public bool IsEmpty => followers.Count == 0;

    /// <summary>Where the log has to be shown from; <see cref="long.MaxValue"/> if nobody follows.</summary>
    public long ShownTo => IsEmpty ? long.MaxValue : _shownTo.Min();

    /// <summary>Tells everybody where to look things up.</summary>
    public void OnOpening(ILogView log)
    {
        foreach (ILogFollower follower in followers)
        {
            follower.OnOpening(log);
        }
    }

    /// <summary>Does anybody follow this topic?</summary>
    public bool Follow(ReadOnlySpan<byte> topic)
    {
        foreach (ILogFollower follower in followers)
        {
            if (follower.Follows(topic))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Shows a record to those who want it and have not seen it. Throws IOException; to be called again then.</summary>
    public void Show(in StoredMessage message)
    {
        long offset = message.PhysicalOffset;
        for (int i = 0; i < _shownTo.Length; i++)
        {
            if (offset < _shownTo[i])
            {
                continue;
            }

            ILogFollower follower = followers[i];
            if (message.PreparedTransactionOffset != 0 || follower.Follows(message.Topic))
            {
                follower.OnRecord(message);
                _shownTo[i] = offset + message.TotalSize;
            }
        }
    }

    /// <summary>Everything below was shown and is on disk.</summary>
    public void OnCheckPoint(long offset)
    {
        foreach (ILogFollower follower in followers)
        {
            follower.OnCheckPoint(offset);
        }
    }

    /// <summary>Recovery has found where the log ends: who knows of more is told. Throws IOException.</summary>
    public void SetEnd(long end)
    {
        for (int i = 0; i < _shownTo.Length; i++)
        {
            if (_shownTo[i] > end)
            {
                Log.FollowerAheadOfLog(logger, followers[i].Name, _shownTo[i], end);
                followers[i].OnLogCut(end);
                _shownTo[i] = end;
            }
        }
    }
}
