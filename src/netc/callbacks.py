"""What follows a run of training: `net.train(callbacks=[...])`."""

from .runtime.run_folder.history import Epoch, History
from .runtime.training.callbacks import HistoryFile
from .runtime.training.event_files import TensorBoard
from .runtime.training.loop import Callback, Progress

__all__ = ["Callback", "Epoch", "History", "HistoryFile", "Progress", "TensorBoard"]
