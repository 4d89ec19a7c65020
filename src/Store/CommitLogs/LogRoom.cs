using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.CommitLogs;

/// <summary>
/// Gets room on the disk for what is appended next. A full disk is logged once, and asked again after a while, not with every
/// message. Guarded by the append lock.
/// </summary>
internal sealed class LogRoom(CommitLogFiles files, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private long _failedAt;
    private bool _failed;

    /// <summary>Adds the file at an offset; false if there is no room for it.</summary>
    public bool TryAddFile(long baseOffset, [NotNullWhen(true)] out CommitLogFile? file)
    {
        file = null;
        if (MustWait)
        {
            return false;
        }

        try
        {
            file = files.AddNext(baseOffset);
            OnFound(baseOffset);
            return true;
        }
        catch (IOException e)
        {
            OnNone(e, baseOffset);
            return false;
        }
    }

    /// <summary>Reserves the rest of a file from a position on; false if there is no room for it.</summary>
    public bool TryReserve(CommitLogFile file, int position)
    {
        if (MustWait)
        {
            return false;
        }

        try
        {
            files.Reserve(file, position);
            OnFound(file.BaseOffset);
            return true;
        }
        catch (IOException e)
        {
            OnNone(e, file.BaseOffset);
            return false;
        }
    }

    private bool MustWait => _failed && time.GetElapsedTime(_failedAt) < RetryAfter;

    private void OnFound(long baseOffset)
    {
        if (_failed)
        {
            _failed = false;
            Log.CommitLogFileCreationRecovered(logger, baseOffset);
        }
    }

    private void OnNone(IOException e, long baseOffset)
    {
        if (!_failed)
        {
            Log.CommitLogFileCreationFailed(logger, e, baseOffset);
        }

        _failed = true;
        _failedAt = time.GetTimestamp();
    }
}
