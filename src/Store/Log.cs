using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store;

/// <summary>Every line that the store logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Store opened in {ElapsedMs} ms: {Root}, log {MinOffset} to {MaxOffset}, {Queues} queues, last stop clean: {Clean}")]
    public static partial void StoreOpened(ILogger logger, long elapsedMs, string root, long minOffset, long maxOffset, int queues, bool clean);

    [LoggerMessage(2, LogLevel.Information, "Store closed: {Root}, log ends at {MaxOffset}")]
    public static partial void StoreClosed(ILogger logger, string root, long maxOffset);

    [LoggerMessage(3, LogLevel.Warning, "Store closed uncleanly ({Reason}); the next start will recover: {Root}")]
    public static partial void StoreClosedUncleanly(ILogger logger, string root, string reason);

    [LoggerMessage(4, LogLevel.Information, "Commit log file {Path} of {Bytes} bytes is ready")]
    public static partial void CommitLogFileCreated(ILogger logger, string path, int bytes);

    [LoggerMessage(5, LogLevel.Error, "No commit log file could be made at {BaseOffset}; messages are refused until one can")]
    public static partial void CommitLogFileCreationFailed(ILogger logger, Exception e, long baseOffset);

    [LoggerMessage(6, LogLevel.Information, "There is room again: commit log file at {BaseOffset} was made")]
    public static partial void CommitLogFileCreationRecovered(ILogger logger, long baseOffset);

    [LoggerMessage(7, LogLevel.Critical, "The flush of the commit log from {Offset} failed; messages are refused until a restart")]
    public static partial void FlushFailed(ILogger logger, Exception e, long offset);

    [LoggerMessage(8, LogLevel.Critical, "The {Thread} thread met what it should not")]
    public static partial void ThreadFailed(ILogger logger, Exception e, string thread);

    [LoggerMessage(9, LogLevel.Error, "The message at {Offset} could not be dispatched; it is tried again")]
    public static partial void DispatchFailed(ILogger logger, Exception e, long offset);

    [LoggerMessage(10, LogLevel.Error, "Dispatch met damage at {Offset} ({Status}); what follows in the file is passed over")]
    public static partial void DispatchMetDamage(ILogger logger, long offset, StoredMessageStatus status);

    [LoggerMessage(11, LogLevel.Warning, "The message at {Offset} names queue {QueueId} and queue offset {QueueOffset} of a topic, which cannot be; it is in the log only")]
    public static partial void MessageNotDispatchable(ILogger logger, long offset, int queueId, long queueOffset);

    [LoggerMessage(12, LogLevel.Error, "The message at {Offset} does not fit its queue; it is in the log only")]
    public static partial void QueueOffsetRefused(ILogger logger, Exception e, long offset);

    [LoggerMessage(13, LogLevel.Error, "An arrival listener failed for {Topic}:{QueueId}")]
    public static partial void ArrivalListenerFailed(ILogger logger, Exception e, string topic, int queueId);

    [LoggerMessage(14, LogLevel.Error, "{Topic}:{QueueId} has no messages {From} to {To}: the log lost them; their entries are left blank")]
    public static partial void QueueGapFilled(ILogger logger, string topic, int queueId, long from, long to);

    [LoggerMessage(15, LogLevel.Information, "Index file {Path} was begun")]
    public static partial void IndexFileCreated(ILogger logger, string path);

    [LoggerMessage(16, LogLevel.Error, "A check point could not be made durable; none is taken until a restart, which will read more of the log")]
    public static partial void CheckPointFailed(ILogger logger, Exception e);

    [LoggerMessage(17, LogLevel.Information, "Commit log file {Path} was removed (expired or not: {AtOnce})")]
    public static partial void CommitLogFileRemoved(ILogger logger, string path, bool atOnce);

    [LoggerMessage(18, LogLevel.Warning, "The disk is used to {Used:P0}, and there is nothing to remove")]
    public static partial void NothingToRemove(ILogger logger, double used);

    [LoggerMessage(19, LogLevel.Information, "{Files} queue and index files were removed, the log begins at {MinOffset}")]
    public static partial void QueueFilesRemoved(ILogger logger, int files, long minOffset);

    [LoggerMessage(20, LogLevel.Error, "The disk is used to {Used:P0}, beyond {Limit:P0}: messages are refused")]
    public static partial void DiskNearlyFull(ILogger logger, double used, double limit);

    [LoggerMessage(21, LogLevel.Information, "The disk is used to {Used:P0}: messages are taken again")]
    public static partial void DiskHasRoomAgain(ILogger logger, double used);

    [LoggerMessage(22, LogLevel.Warning, "{Path} was put away to {Target}: {Reason}")]
    public static partial void Quarantined(ILogger logger, string path, string target, string reason);

    [LoggerMessage(23, LogLevel.Warning, "{Path} has {Length} bytes instead of {Expected}: it was truncated; the rest reads as empty")]
    public static partial void ShortFileExtended(ILogger logger, string path, long length, int expected);

    [LoggerMessage(24, LogLevel.Error, "The commit log has no files for {From} to {To}: these messages are lost")]
    public static partial void CommitLogFilesMissing(ILogger logger, long from, long to);

    [LoggerMessage(25, LogLevel.Warning, "{Path} is no queue; it is ignored")]
    public static partial void QueueDirectoryIgnored(ILogger logger, string path);

    [LoggerMessage(26, LogLevel.Warning, "{Topic}:{QueueId} is built anew from the commit log: {Reason}")]
    public static partial void QueueRebuilt(ILogger logger, string topic, int queueId, string reason);

    [LoggerMessage(27, LogLevel.Warning, "{Topic}:{QueueId} was cut from {From} to {To}: its entries pointed beyond the log's end {Limit}")]
    public static partial void QueueCut(ILogger logger, string topic, int queueId, long from, long to, long limit);

    [LoggerMessage(28, LogLevel.Information, "{Count} queues were built anew in {ElapsedMs} ms")]
    public static partial void QueuesRebuilt(ILogger logger, int count, long elapsedMs);

    [LoggerMessage(29, LogLevel.Information, "Index file {Path} is cut from {From} to {To} entries; the log fills it in again")]
    public static partial void IndexCut(ILogger logger, string path, int from, int to);

    [LoggerMessage(30, LogLevel.Information, "Recovery begins (last stop clean: {Clean}) at {Start}; the files end at {FilesEnd}")]
    public static partial void RecoveryStarted(ILogger logger, bool clean, long start, long filesEnd);

    [LoggerMessage(31, LogLevel.Information, "{Records} records from {Start} to {End} were read in {ElapsedMs} ms")]
    public static partial void RecoveryWalked(ILogger logger, long records, long start, long end, long elapsedMs);

    [LoggerMessage(32, LogLevel.Warning, "The check point at {Offset} is not used: {Reason}")]
    public static partial void ProgressIgnored(ILogger logger, long offset, string reason);

    [LoggerMessage(33, LogLevel.Error, "Damage in {Path} at {Offset} ({Status}); the next whole record is at {Next}")]
    public static partial void DamageFound(ILogger logger, string path, long offset, long next, StoredMessageStatus status);

    [LoggerMessage(34, LogLevel.Warning, "{From} to {To} are kept in the log as one record that nobody consumes")]
    public static partial void DamageBridged(ILogger logger, long from, long to);

    [LoggerMessage(35, LogLevel.Warning, "The log was cut in {Path} at {Offset}: what stood there claimed {ClaimedBytes} bytes and is no whole record ({Status})")]
    public static partial void LogCut(ILogger logger, string path, long offset, int claimedBytes, StoredMessageStatus status);

    [LoggerMessage(36, LogLevel.Information, "Topic {Topic} was deleted with its {Queues} queues")]
    public static partial void TopicDeleted(ILogger logger, string topic, int queues);

    [LoggerMessage(37, LogLevel.Warning, "What is left of a deleted topic in {Path} could not be deleted; it is tried again")]
    public static partial void RemovedTopicNotDeleted(ILogger logger, Exception e, string path);

    [LoggerMessage(38, LogLevel.Error, "There is no room to reserve the rest of {Path}; messages are refused until there is")]
    public static partial void TailNotReserved(ILogger logger, Exception e, string path);

    [LoggerMessage(39, LogLevel.Error, "What stands at {Offset} is not the message that a queue says; it is not served")]
    public static partial void DamageRead(ILogger logger, long offset);

    [LoggerMessage(40, LogLevel.Information, "{Path} was removed: it was being made when the process ended")]
    public static partial void UnfinishedFileRemoved(ILogger logger, string path);

    [LoggerMessage(41, LogLevel.Warning, "Not all queues could be led to where the log begins, {MinOffset}; it is tried again")]
    public static partial void QueuesNotTrimmed(ILogger logger, Exception e, long minOffset);

    [LoggerMessage(42, LogLevel.Warning, "A check point could not be taken now; it is tried again")]
    public static partial void CheckPointPutOff(ILogger logger, Exception e);

    [LoggerMessage(43, LogLevel.Information, "{Records} records from {Start} to {End} were shown to followers of the log in {ElapsedMs} ms")]
    public static partial void FollowersCaughtUp(ILogger logger, long records, long start, long end, long elapsedMs);

    [LoggerMessage(44, LogLevel.Warning, "The {Follower} know of the log up to {Applied}, but it ends at {End}; they go back to there")]
    public static partial void FollowerAheadOfLog(ILogger logger, string follower, long applied, long end);

    [LoggerMessage(45, LogLevel.Error, "A follower of the log could not take a check point; it is tried again")]
    public static partial void FollowerCheckPointFailed(ILogger logger, Exception e);

    [LoggerMessage(50, LogLevel.Information, "Delay levels or roll window have changed to '{Rule}'; messages that are pending keep their times")]
    public static partial void TimerRulesChanged(ILogger logger, string rule);

    [LoggerMessage(51, LogLevel.Critical, "What was appended to the commit log could not be written at {Offset}; it is lost, and messages are refused until a restart")]
    public static partial void CommitLogWriteFailed(ILogger logger, Exception e, long offset);
}
