namespace GrayMQ.Fuzz;

/// <summary>One parser and what must be true of it for any input.</summary>
internal abstract class FuzzTarget
{
    public abstract string Name { get; }

    /// <summary>Byte strings that mean something to the parser.</summary>
    public virtual IReadOnlyList<byte[]> Tokens => [];

    /// <summary>The longest that one input may take.</summary>
    public virtual TimeSpan MaxDuration => TimeSpan.FromSeconds(1);

    /// <summary>Whether a mistake may end the process: inputs are written to a file before they are run.</summary>
    public virtual bool MayEndTheProcess => false;

    /// <summary>Whether allocation is measured: only where all of it happens on the calling thread.</summary>
    public virtual bool MeasuresAllocation => true;

    /// <summary>Bytes that an input of the given length may make the parser and its checks allocate.</summary>
    public virtual long MaxAllocatedBytes(int inputBytes) => (256 * 1024) + (200L * inputBytes);

    /// <summary>Inputs that are well formed, to start from.</summary>
    public abstract IEnumerable<byte[]> Seeds();

    /// <summary>
    /// Parses the input and checks what came out. Refusals that are documented are caught here; whatever is thrown is a
    /// finding.
    /// </summary>
    /// <returns>True when the input was taken: it may be mutated further.</returns>
    public abstract bool Run(byte[] input);
}
