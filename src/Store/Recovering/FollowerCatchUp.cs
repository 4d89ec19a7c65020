using System.Diagnostics;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.Dispatching;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Recovering;

/// <summary>
/// Shows followers what lies between their own state and the place where recovery begins to walk: nothing after a clean stop, some
/// seconds' worth after a kill, the whole log where a follower has no state.
/// </summary>
internal sealed class FollowerCatchUp(CommitLogFiles files, LogWalk walk, LogFollowers followers, ILogger logger)
{
    /// <summary>Shows the records below <paramref name="end"/> that somebody wants. Damage is passed over. Throws IOException.</summary>
    public void Run(long end)
    {
        long offset = Math.Max(followers.ShownTo, files.MinOffset);
        if (offset >= end)
        {
            return;
        }

        long start = offset;
        long startedAt = Stopwatch.GetTimestamp();
        long shown = 0;
        while (offset < end)
        {
            if (files.Find(offset) is not { } file)
            {
                offset += files.FileBytes - (offset % files.FileBytes);
                continue;
            }

            StoredMessageStatus status = LogWalk.Read(file, offset, out StoredMessage message);
            if (status == StoredMessageStatus.Message)
            {
                if (message.PreparedTransactionOffset != 0 || followers.Follow(message.Topic))
                {
                    followers.Show(message);
                    shown++;
                }

                offset += message.TotalSize;
            }
            else if (status == StoredMessageStatus.Blank)
            {
                offset = file.EndOffset;
            }
            else
            {
                long next = walk.FindRecordBehind(offset);
                Log.DamageFound(logger, file.Path, offset, next, status);
                offset = next < 0 ? end : next;
            }
        }

        Log.FollowersCaughtUp(logger, shown, start, end, (long)Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds);
    }
}
