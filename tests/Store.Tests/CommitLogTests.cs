using System.Buffers;
using GrayMQ.Store.Appending;
using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Files;
using GrayMQ.Store.Statistics;
using GrayMQ.Store.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Store.Tests;

/// <summary>The commit log by itself: its table of files, and what counts as flushed.</summary>
public sealed class CommitLogTests : IDisposable
{
    private readonly TempFolder _folder = new(inMemory: true);

    public CommitLogTests() => Directory.CreateDirectory(Options.CommitLogPath);

    public void Dispose() => _folder.Dispose();

    private StoreOptions Options => TestStore.Options(_folder.Path);

    [Fact]
    public async Task Files_AddedAndRemovedAtTheSameTime_NoneComesBackOrIsLost()
    {
        const int Added = 400;
        using var files = new CommitLogFiles(Options, LinuxFileSystem.Instance, NullLogger.Instance);
        files.AddNext(0);
        var remover = Task.Run(() =>
        {
            int removed = 0;
            TestStore.WaitFor(() =>
            {
                if (files.All.Length > 1)
                {
                    files.RemoveFirst();
                    removed++;
                }

                return removed == Added / 2;
            });
        }, TestContext.Current.CancellationToken);
        for (long number = 1; number < Added; number++)
        {
            files.AddNext(number * files.FileBytes);
        }

        await remover;
        Assert.Equal((long)Added / 2 * files.FileBytes, files.MinOffset);
        Assert.Equal(Added / 2, files.All.Length);
        for (int i = 0; i < files.All.Length; i++)
        {
            Assert.Equal(files.MinOffset + ((long)i * files.FileBytes), files.All[i]!.BaseOffset);
        }
    }

    [Fact]
    public void Flush_AFileThatWasWrittenIsMissing_FailsAndNothingCountsAsFlushed()
    {
        var files = new CommitLogFiles(Options, LinuxFileSystem.Instance, NullLogger.Instance);
        var flags = new RunningFlags();
        var time = new ManualTime();
        using var log = new CommitLog(Options, files, flags, new StoreStatistics(time), time, NullLogger.Instance);
        var storage = new ConsumeQueueStorage(Options, LinuxFileSystem.Instance, time, NullLogger.Instance);
        LogicQueue queue = new QueueTable(storage).GetOrAdd("T"u8, 0);
        var message = new MessageAppend
        {
            Body = new ReadOnlySequence<byte>(new byte[10]),
            BornHost = TestStore.Host,
            StoreHost = TestStore.Host,
        };
        Assert.True(log.Append(queue, message).IsOk);
        files.RemoveLast();
        Assert.Throws<FlushFailedException>(() => log.Writer.Flush());
        Assert.Equal(0, log.FlushedOffset);
        Assert.True(flags.FlushFailed);
    }
}
