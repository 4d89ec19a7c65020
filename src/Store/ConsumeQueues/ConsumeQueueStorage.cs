using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.ConsumeQueues;

/// <summary>What all queues of a store share.</summary>
internal sealed class ConsumeQueueStorage(
    StoreOptions options, IStoreFileSystem fileSystem, TimeProvider time, ILogger logger)
{
    public IStoreFileSystem FileSystem { get; } = fileSystem;

    public ILogger Logger { get; } = logger;

    public string RootPath { get; } = options.ConsumeQueuePath;

    /// <summary>Where what is kept beside the entries of queues lies.</summary>
    public string AnswersPath { get; } = options.AnswersPath;

    /// <summary>Where a queue's next file is made, before it is moved into its place; dispatcher only.</summary>
    public string NewFilePath { get; } = Path.Combine(options.RootDirectory, "graymq.newqueue");

    public int FileBytes { get; } = options.AlignedConsumeQueueFileBytes;

    public int FileEntries { get; } = options.ConsumeQueueFileEntries;

    /// <summary>Guards mapping and unmapping of consume-queue files: rare, so one lock does for all.</summary>
    public Lock MapLock { get; } = new();

    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();
}
