using System.IO.Pipelines;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Tests.Testing;

namespace GrayMQ.Remoting.Tests.Connections;

/// <summary>The sending side over a pipe whose reader is the test: transports that stall, end and fail.</summary>
public class FrameOutputTests
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 1_000, resumeWriterThreshold: 500, useSynchronizationContext: false));
    private readonly List<string> _broken = [];

    private readonly UnsentBudget _budget = new(maxBytes: 10_000_000);

    private FrameOutput NewOutput(long maxUnsentBytes = 1_000_000, UnsentBudget? budget = null) =>
        new(_pipe.Writer, maxUnsentBytes, budget ?? _budget, TimeProvider.System, (reason, _) => _broken.Add(reason));

    private static bool Write(FrameOutput output, int bodyBytes = 100)
    {
        HeaderBuffer header = FrameOutput.Header;
        CommandWriter.WriteResponse(header, SerializeType.Json, ResponseCode.Success, 1, null, default(NoHeader), bodyBytes);
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
                HeaderBuffer header = FrameOutput.Header;
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
