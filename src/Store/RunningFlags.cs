namespace GrayMQ.Store;

/// <summary>Why the store takes no messages just now; reading goes on in every state but closed (RocketMQ: RunningFlags).</summary>
internal sealed class RunningFlags
{
    private volatile bool _closing;
    private volatile bool _flushFailed;
    private volatile bool _diskFull;

    public bool IsWritable => !_closing && !_flushFailed && !_diskFull;

    public bool IsClosing => _closing;

    /// <summary>A flush failed, so the disk may have lost any page that was not flushed before: only a restart clears this.</summary>
    public bool FlushFailed => _flushFailed;

    public bool DiskFull => _diskFull;

    public void SetClosing() => _closing = true;

    public void SetFlushFailed() => _flushFailed = true;

    /// <summary>Returns what it was before.</summary>
    public bool SetDiskFull(bool full)
    {
        bool before = _diskFull;
        _diskFull = full;
        return before;
    }
}
