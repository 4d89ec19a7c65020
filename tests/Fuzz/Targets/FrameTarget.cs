using System.Buffers;
using GrayMQ.Fuzz.Seeds;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Fuzz.Targets;

/// <summary>
/// A stream of frames: the same frames come out however it is cut into segments, and whatever was decoded before by the same command.
/// </summary>
internal sealed class FrameTarget : FuzzTarget
{
    private static readonly CommandLimits Limits = new() { MaxFrameBytes = 64 * 1024, MaxHeaderBytes = 16 * 1024, MaxHeaderFields = 256 };

    private readonly RemotingCommand _whole = new();

    public override string Name => "frame";

    public override IEnumerable<byte[]> Seeds()
    {
        byte[][] frames = [.. Recorded.Frames()];
        IEnumerable<byte[]> repeated = frames.Select(frame => (byte[])[.. frame, .. frame, .. frame]);
        return [.. frames, .. repeated, .. frames.Chunk(4).Select(some => some.SelectMany(frame => frame).ToArray())];
    }

    public override bool Run(byte[] input)
    {
        var whole = new ReadOnlySequence<byte>(input);
        ReadOnlySequence<byte> split = Sequences.Split(input);
        bool taken = false;
        while (true)
        {
            string first = Next(ref whole, _whole);
            var anew = new RemotingCommand();
            string second = Next(ref split, anew);
            FindingException.Unless(first == second, $"in one segment: {first}; in several, anew: {second}");
            FindingException.Unless(whole.Length == split.Length, "the segments change where a frame ends");
            if (first != "frame")
            {
                return taken;
            }

            taken = true;
            FindingException.Unless(
                (_whole.Code, _whole.Opaque, _whole.Flag, _whole.Remark, _whole.Version, _whole.Language)
                    == (anew.Code, anew.Opaque, anew.Flag, anew.Remark, anew.Version, anew.Language)
                && _whole.Body.ToArray().AsSpan().SequenceEqual(anew.Body.ToArray())
                && Commands.SameFields(_whole.Fields, anew.Fields, emptyIsNone: false),
                "the segments change what a frame says");
        }
    }

    private static string Next(ref ReadOnlySequence<byte> buffer, RemotingCommand command)
    {
        long before = buffer.Length;
        try
        {
            if (!Frame.TryRead(ref buffer, Limits, out Frame frame))
            {
                FindingException.Unless(buffer.Length == before, "a frame that is not there was taken in part");
                return "no frame";
            }

            FindingException.Unless(
                before - buffer.Length == Frame.PrefixBytes + frame.Header.Length + frame.Body.Length, "a frame lost bytes");
            command.Decode(in frame, Limits);
            return "frame";
        }
        catch (ProtocolException e)
        {
            return e.Message;
        }
    }
}
