using System.Buffers;
using System.IO.Pipelines;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Remoting.Tests.Connections;

/// <summary>The sending side over a pipe whose reader is the test: transports that stall, end and fail.</summary>
public class FrameOutputTests
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 1_000, resumeWriterThreshold: 500, useSynchronizationContext: false));
    private readonly List<string> _broken = [];

    private readonly UnsentBudget _budget = new(maxBytes: 10_000_000);

    private FrameOutput NewOutput(long maxUnsentBytes = 1_000_000, UnsentBudget? budget = null) =>
        new(_pipe.Writer, maxUnsentBytes, budget ?? _budget, TimeProvider.System, (reason, _) => _broken.Add(reason));

    private static bool Write(FrameOutput output, int bodyBytes = 100, int opaque = 1)
    {
        HeaderBuffer header = output.BeginFrame();
        CommandWriter.WriteResponse(header, SerializeType.Json, ResponseCode.Success, opaque, null, default(NoHeader), bodyBytes);
        return output.WriteAnswer(header, new MemoryBody(new byte[bodyBytes]), bodyBytes);
    }

    private async Task<long> TakeAllAsync()
    {
        ReadResult result = await _pipe.Reader.ReadAsync();
        long length = result.Buffer.Length;
        _pipe.Reader.AdvanceTo(result.Buffer.End);
        return length;
    }

    [Fact]
    public async Task Write_InABatch_LeavesAtItsEnd()
    {
        FrameOutput output = NewOutput();
        output.BeginBatch();
        Assert.True(Write(output));
        Assert.True(Write(output));
        Task flushed = output.FlushedAsync();
        Assert.False(_pipe.Reader.TryRead(out _));
        Assert.False(flushed.IsCompleted);
        output.EndBatch();
        Assert.True(_pipe.Reader.TryRead(out ReadResult result));
        Assert.True(result.Buffer.Length > 200);
        await flushed.WaitAsync(Eventually.Deadline);
    }

    [Fact]
    public async Task Gather_InABatch_LeavesInOrderWithWhatIsWritten()
    {
        FrameOutput output = NewOutput();
        Assert.Null(output.Batch);
        output.BeginBatch();
        Gather(output, opaque: 1);
        Gather(output, opaque: 2);
        Task flushed = output.FlushedAsync();
        Assert.False(flushed.IsCompleted);
        Assert.True(Write(output, bodyBytes: 3, opaque: 3));
        Gather(output, opaque: 4);
        Assert.False(_pipe.Reader.TryRead(out _));
        output.EndBatch();

        Assert.Null(output.Batch);
        await flushed.WaitAsync(Eventually.Deadline);
        ReadOnlySequence<byte> there = (await _pipe.Reader.ReadAsync()).Buffer;
        Assert.Equal([1, 2, 3, 4], Opaques(there));
    }

    [Fact]
    public async Task Gather_MoreThanIsKept_IsHandedOverOnTheWay()
    {
        FrameOutput output = NewOutput();
        output.BeginBatch();
        for (int opaque = 0; opaque < 1_000; opaque++)
        {
            Gather(output, opaque);
        }

        output.EndBatch();
        var taken = new List<int>();
        while (taken.Count < 1_000)
        {
            ReadResult result = await _pipe.Reader.ReadAsync();
            ReadOnlySequence<byte> there = result.Buffer;
            taken.AddRange(Opaques(ref there));
            _pipe.Reader.AdvanceTo(there.Start, there.End);
        }

        Assert.Equal(Enumerable.Range(0, 1_000), taken);
    }

    [Fact]
    public async Task Gather_OnAnotherThread_IsNotForIt()
    {
        FrameOutput output = NewOutput();
        output.BeginBatch();
        Assert.NotNull(output.Batch);
        HeaderBuffer? others = await Task.Factory.StartNew(
            () => output.Batch, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Assert.Null(others);
    }

    [Fact]
    public async Task Gather_WhileOthersAnswerToo_ComesToNoOtherConnection()
    {
        const int Batches = 200_000;
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var output = new FrameOutput(pipe.Writer, long.MaxValue, _budget, TimeProvider.System, (reason, _) => _broken.Add(reason));

        // Closed, for whoever answers there goes round the quicker.
        FrameOutput other = NewOutput();
        await other.CompleteAsync();
        bool ended = false;
        Task others = Task.Factory.StartNew(
            () =>
            {
                HeaderBuffer header = other.BeginFrame();
                while (!Volatile.Read(ref ended))
                {
                    other.WriteAnswer(header, default(MemoryBody), 0);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

        // One thread reads both connections in turns, as threads of the pool do.
        for (int batch = 0; batch < Batches; batch++)
        {
            FrameOutput reading = batch % 2 == 0 ? other : output;
            reading.BeginBatch();
            Gather(reading, opaque: batch);
            reading.EndBatch();
        }

        Volatile.Write(ref ended, true);
        await others.WaitAsync(Eventually.Deadline);
        await output.CompleteAsync();
        ReadResult all = await pipe.Reader.ReadAtLeastAsync(int.MaxValue);
        Assert.Equal(Enumerable.Range(0, Batches / 2).Select(batch => (2 * batch) + 1), Opaques(all.Buffer));
    }

    private static void Gather(FrameOutput output, int opaque)
    {
        CommandWriter.AppendResponse(output.Batch!, SerializeType.Json, ResponseCode.Success, opaque, null, default(NoHeader), 0);
        output.Gathered();
    }

    private static int[] Opaques(ReadOnlySequence<byte> bytes) => Opaques(ref bytes);

    private static int[] Opaques(ref ReadOnlySequence<byte> bytes)
    {
        var opaques = new List<int>();
        var command = new RemotingCommand();
        while (Frame.TryRead(ref bytes, CommandLimits.Default, out Frame frame))
        {
            command.Decode(in frame, CommandLimits.Default);
            opaques.Add(command.Opaque);
        }

        return [.. opaques];
    }

    [Fact]
    public async Task Write_WhileAllPeersTogetherLeaveTooMuch_EndsTheConnection()
    {
        var budget = new UnsentBudget(maxBytes: 5_000);
        FrameOutput output = NewOutput(budget: budget);
        Assert.True(Write(output, 2_000));
        Assert.InRange(budget.Bytes, 2_000, 3_000);
        Assert.True(budget.TryAdd(2_000));
        Assert.False(Write(output, 2_000));
        Assert.Contains("does not read", Assert.Single(_broken), StringComparison.Ordinal);
        await TakeAllAsync();
        await Eventually.TrueAsync(() => budget.Bytes == 2_000);
    }

    [Fact]
    public async Task Write_WhileTheTransportStalls_FollowsWithTheNextFlush()
    {
        FrameOutput output = NewOutput();
        Assert.True(Write(output, 2_000));
        Task first = output.FlushedAsync();
        Assert.True(Write(output, 300));
        Task second = output.FlushedAsync();
        Assert.False(first.IsCompleted);
        Assert.True(await TakeAllAsync() > 2_000);
        await first.WaitAsync(Eventually.Deadline);
        await second.WaitAsync(Eventually.Deadline);
        Assert.InRange(await TakeAllAsync(), 300, 600);
        Assert.True(output.FlushedAsync().IsCompleted);
    }

    [Fact]
    public async Task Uncongested_WaitsForTheTransport()
    {
        FrameOutput output = NewOutput();
        Task open = output.UncongestedAsync().AsTask();
        Assert.True(open.IsCompleted);
        Write(output, 2 * FrameOutput.MaxAnswerBytesAhead);
        Assert.True(output.IsCongested);
        Task uncongested = output.UncongestedAsync().AsTask();
        Assert.False(uncongested.IsCompleted);
        await TakeAllAsync();
        await uncongested.WaitAsync(Eventually.Deadline);
        Assert.False(output.IsCongested);
    }

    [Fact]
    public async Task TryWriteRequest_WhileTooMuchWaits_SaysWhatToWaitFor()
    {
        FrameOutput output = NewOutput(long.MaxValue);
        var header = new HeaderBuffer();
        CommandWriter.WriteRequest(header, SerializeType.Json, RequestCode.SendMessage, 1, false, default(NoHeader), 100);
        Assert.True(output.TryWriteRequest(header, new byte[FrameOutput.MaxRequestBytesAhead], mayWait: true, out _));
        Assert.False(output.TryWriteRequest(header, new byte[100], mayWait: true, out Task? wait));
        Assert.NotNull(wait);
        Assert.True(output.TryWriteRequest(header, new byte[100], mayWait: false, out _));
        await TakeAllAsync();
        await wait.WaitAsync(Eventually.Deadline);
        Assert.True(output.TryWriteRequest(header, new byte[100], mayWait: true, out _));
    }

    [Fact]
    public async Task TransportEnds_WakesWhoWaitsAndTakesNoMore()
    {
        FrameOutput output = NewOutput();
        Write(output, FrameOutput.MaxAnswerBytesAhead * 2);
        Write(output, 100);
        Task flushed = output.FlushedAsync();
        Task uncongested = output.UncongestedAsync().AsTask();
        await _pipe.Reader.CompleteAsync();
        await uncongested.WaitAsync(Eventually.Deadline);
        await flushed.WaitAsync(Eventually.Deadline);
        Assert.True(output.IsClosed);
        Assert.False(Write(output));
        Assert.True(output.FlushedAsync().IsCompleted);
        await output.CompleteAsync();
        Assert.Empty(_broken);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TransportFails_NeverThrowsIntoWhoWrites(bool whileFlushing)
    {
        FrameOutput output = NewOutput();
        if (whileFlushing)
        {
            Write(output, 2_000);
        }

        await _pipe.Reader.CompleteAsync(new IOException("the network is gone"));
        Write(output);
        await Eventually.TrueAsync(() => output.IsClosed);
        Assert.False(Write(output));
        await output.CompleteAsync();
    }

    [Fact]
    public void Unsent_BeyondTheLimit_BreaksOnce()
    {
        FrameOutput output = NewOutput(maxUnsentBytes: 10_000);
        int written = 0;
        while (Write(output, 1_000))
        {
            written++;
        }

        Assert.InRange(written, 5, 10);
        Assert.False(Write(output, 1_000));
        Assert.Single(_broken);
    }

    [Fact]
    public async Task Write_FromManyThreads_KeepsFramesWhole()
    {
        const int Threads = 4;
        const int Frames = 2_000;
        FrameOutput output = NewOutput(long.MaxValue);
        var writers = Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            var random = new Random(thread);
            for (int i = 0; i < Frames; i++)
            {
                byte[] body = new byte[random.Next(2_000)];
                Array.Fill(body, (byte)thread);
                HeaderBuffer header = output.BeginFrame();
                CommandWriter.WriteResponse(
                    header, (SerializeType)(i % 2), (ResponseCode)thread, i, null, default(NoHeader), body.Length);
                output.WriteAnswer(header, new MemoryBody(body), body.Length);
                if (random.Next(10) == 0)
                {
                    output.BeginBatch();
                    output.EndBatch();
                }
            }
        })));

        int[] next = new int[Threads];
        int frames = 0;
        var command = new RemotingCommand();
        while (frames < Threads * Frames)
        {
            ReadResult result = await _pipe.Reader.ReadAsync();
            System.Buffers.ReadOnlySequence<byte> buffer = result.Buffer;
            frames += TakeFrames(ref buffer, command, next);
            _pipe.Reader.AdvanceTo(buffer.Start, buffer.End);
        }

        await writers;
        Assert.All(next, count => Assert.Equal(Frames, count));
        Assert.Empty(_broken);
    }

    private static int TakeFrames(ref System.Buffers.ReadOnlySequence<byte> buffer, RemotingCommand command, int[] next)
    {
        int frames = 0;
        while (Frame.TryRead(ref buffer, CommandLimits.Default, out Frame frame))
        {
            command.Decode(in frame, CommandLimits.Default);
            Assert.Equal(next[command.Code]++, command.Opaque);
            foreach (ReadOnlyMemory<byte> segment in command.Body)
            {
                Assert.False(segment.Span.ContainsAnyExcept((byte)command.Code));
            }

            frames++;
        }

        return frames;
    }
}
